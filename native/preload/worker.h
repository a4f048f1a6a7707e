/*
 * A worker: takes one job after another from its channel and plays the web
 * server towards php-cgi, which sees one endless connection under one
 * descriptor number (WORKER_FD).
 */
#ifndef GUISE_WORKER_H
#define GUISE_WORKER_H

#include <stddef.h>
#include <sys/types.h>

/* Turns this process into a worker on `channel`; `one_job`: end after the first. */
void worker_become(int channel, int one_job);

/* The number under which php-cgi knows its connection, or -1 in a process that is no worker. */
int worker_fd(void);

/* Waits for a job. Ends the process when the channel is closed or the one job is done. */
void worker_next_job(void);

/* read(2) for php-cgi: the request, then, behind its end, the next one. */
ssize_t worker_read(void *buffer, size_t length);

#endif
