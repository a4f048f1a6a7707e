/*
 * A worker: takes one task after another from its lane and plays the web
 * server towards php-cgi, which sees one endless connection under one
 * descriptor number (worker_fd).
 */
#ifndef GUISE_WORKER_H
#define GUISE_WORKER_H

#include <stddef.h>
#include <sys/types.h>

#include "lane.h"

/* Turns this process into a worker of `lane`; it ends after `tasks` of them, 0: never. */
void worker_become(const struct lane *lane, unsigned tasks);

/* The number under which php-cgi knows its connection, or -1 in a process that is no worker. */
int worker_fd(void);

/* Waits for a task. Returns 0 when a signal came instead; ends the process when there will be no task. */
int worker_next_task(void);

/* Of the task that is over: whether the worker ends now, and whether something is left that its script has started. */
int worker_is_last(void);
int worker_has_strays(void);

/* php-cgi ends. It was told to while it worked: then it asks for no other task, and the answered one is still open. */
void worker_end(void);

/*
 * read(2) for php-cgi: the request, then, behind its end, the next one. When a
 * signal comes instead the connection is at its end, for php-cgi asks between
 * two connections whether it is to stop.
 */
ssize_t worker_read(void *buffer, size_t length);

#endif
