/*
 * From the parameters as the web server sent them to the FastCGI records that
 * PHP reads. Only one file can be meant by what comes out, and nothing in it
 * can change PHP's settings.
 */
#ifndef GUISE_REWRITE_H
#define GUISE_REWRITE_H

#include <stddef.h>

#include "protocol.h"
#include "script.h"
#include "task.h"

enum { REWRITE_MAX = JOB_MAX + 64 * 1024 };

/*
 * Writes BEGIN, PARAMS and the end of PARAMS to `out` (REWRITE_MAX bytes) and
 * their length to `out_length`. A verdict other than SCRIPT_OK means that the
 * request must not run.
 */
struct verdict rewrite_request(const struct task *task, unsigned char *out, size_t *out_length);

/* Writes the 8 bytes of a FastCGI record header. */
void record_header(unsigned char *out, int type, int id, size_t length);

enum { FCGI_BEGIN_REQUEST = 1, FCGI_END_REQUEST = 3, FCGI_PARAMS = 4, FCGI_STDIN = 5, FCGI_STDOUT = 6, FCGI_STDERR = 7 };
enum { FCGI_HEADER = 8, FCGI_CHUNK = 65528 };

#endif
