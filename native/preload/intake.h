/*
 * Reads one FastCGI request from a connection, whole, before PHP sees any of
 * it. The direct lane's counterpart of src/request.
 */
#ifndef GUISE_INTAKE_H
#define GUISE_INTAKE_H

#include "task.h"

enum intake_result {
  INTAKE_COMPLETE,
  INTAKE_CLOSE,           /* the peer left, aborted, or does not speak FastCGI */
  INTAKE_TIMEOUT,         /* 408 */
  INTAKE_PARAMS_TOO_LARGE, /* 431 */
  INTAKE_BODY_TOO_LARGE,  /* 413 */
  INTAKE_CUT_SHORT,       /* 400 */
  INTAKE_ROLE,            /* 501 */
  INTAKE_SPOOL,           /* 500 */
  INTAKE_NOTHING          /* a kept connection, on which no request has begun */
};

/* The next request comes on this connection. is_kept: perhaps later. */
void intake_begin(int connection, uint64_t max_body, int is_kept);

/*
 * Fills `task`, whose memory stays valid until the next call. Where the result
 * is a refusal, task->request_id is set and the rest of the request has been
 * read as far as patience goes, so that an answer reaches the peer.
 */
enum intake_result intake_read(struct task *task);

/* Whether the web server keeps the connection after the request that has been read. */
int intake_keeps(void);

/* Whether something has been received behind it. */
int intake_has_bytes(void);

/*
 * That request is over, and the next one may come on its connection. Takes the
 * end of a body that was not waited for, if it is there. Returns whether
 * something of the next request has come already.
 */
int intake_renew(void);

/* The request is known, by another way; only the end of its body, which is empty, is still to come. */
void intake_expect_end(int connection, int request_id);

/*
 * Reads the end of a body that was not waited for, after the answer: a web
 * server that writes to a connection that is closed already takes the whole
 * request for failed. Waits for a second at most.
 */
void intake_drain(int connection);

#endif
