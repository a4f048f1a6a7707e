/*
 * Connections of the direct lane that the web server keeps, between two of
 * their requests. A worker waits with the one that it has served last, which is
 * the usual case and costs nothing. When it turns to another one it gives the
 * first to the template, which watches all that it has been given and lends
 * one to any idle worker as soon as something comes. So no request waits for a
 * connection that nobody uses, and a worker may end without closing the
 * one that it holds.
 * Privilege: the site's user, all of them.
 */
#ifndef GUISE_KEPT_H
#define GUISE_KEPT_H

#include <poll.h>

/* Of the template: prepares for workers that are forked afterwards. Where that fails nothing is kept. */
void kept_open(void);

enum { KEPT_POLLED = 2 };

/* Of the template: what its poll(2) waits for beside the rest. Fills KEPT_POLLED entries. */
void kept_watch(struct pollfd *fds);

/* Of the template: takes connections and lends those that something comes on. */
void kept_serve(void);

/* Of the template: whether something has come that no worker has taken. */
int kept_waits(void);

/* Of the template: no request is taken any more, and all connections end. */
void kept_leave(void);

/* In a new worker: what is the template's. Before it opens anything itself, for there may be many. */
void kept_forget(void);

/* Of a worker: has its epoll instance tell of what is lent, as `kept_door` in the event. */
void kept_join(int epoll);
int kept_door(void);

/* Of a worker: a connection that something has come on, or -1 with errno. */
int kept_take(void);

/* Of a worker: gives a connection away, on which nothing has begun. It is closed here. */
void kept_give(int connection);

/* In a copy of a worker, which takes and gives nothing. */
void kept_part(void);

#endif
