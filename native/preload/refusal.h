/* The page of a worker of the direct lane that refuses a request: src/router/refusal-page.ts makes the same one. */
#ifndef GUISE_REFUSAL_H
#define GUISE_REFUSAL_H

#include "task.h"

/* The HTTP status for a reason of script.h or direct.h. */
unsigned refusal_status(int reason);

/*
 * Answers `task` with a page that names it by `id`; nothing of the request is
 * in it. `bytes` is what has been sent. Returns whether that is all.
 */
int refusal_send(const struct task *task, int reason, uint64_t id, uint64_t *bytes);

#endif
