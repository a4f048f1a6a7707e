/*
 * The site's own log of PHP's errors, opened anew for each message, so that it
 * may be renamed at any time. PHP itself writes there too; what comes here are
 * messages that it would send to the web server.
 */
#ifndef GUISE_ERROR_LOG_H
#define GUISE_ERROR_LOG_H

#include <stddef.h>

/* Whether this site has one. */
int error_log_exists(void);

/* A piece of a message, with its line breaks. Every line begins with the time, as in PHP's own. */
void error_log_write(const unsigned char *text, size_t length);

/* Ends a line that has no end: the next request begins its own. */
void error_log_end(void);

#endif
