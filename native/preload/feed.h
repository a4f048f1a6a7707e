/*
 * What php-cgi reads: FastCGI records made from a task, handed out in whatever
 * pieces it asks for.
 */
#ifndef GUISE_FEED_H
#define GUISE_FEED_H

#include <stddef.h>
#include <sys/types.h>

#include "script.h"
#include "task.h"

/* Prepares a task for php-cgi; any verdict but SCRIPT_OK means that it must not run. */
struct verdict feed_begin(const struct task *task);

/* read(2) for php-cgi. 0 behind the end of the body. */
ssize_t feed_read(void *buffer, size_t length);

#endif
