/* Which PHP this is, for whoever reads its memory from outside (native/stack). */
#ifndef GUISE_ENGINE_H
#define GUISE_ENGINE_H

#include <stdint.h>

/* Where executor_globals lies; 0 where that is not known, as in a PHP with threads. */
uint64_t engine_globals(void);

/* The version of the Zend engine, 0x0402 for 4.2 of PHP 8.2; 0: unknown. */
uint32_t engine_version(void);

#endif
