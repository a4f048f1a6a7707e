/*
 * Where a worker's tasks come from and where its word about them goes: through
 * the router (routed.c), or straight from the web server (direct.c).
 */
#ifndef GUISE_LANE_H
#define GUISE_LANE_H

#include "script.h"
#include "task.h"

struct lane {
  /* Waits for a task. Returns 0 when something else came, perhaps a signal; ends the process when there will be no task. */
  int (*next)(struct task *task);
  /* A part of the answer is about to be written. */
  void (*started)(void);
  /* The task is over, as `answer` says; lets go of its descriptors. is_last: the worker ends now. */
  void (*finished)(const struct task *task, int is_last);
  /* The task must not run; nothing has been written. Lets go of its descriptors. */
  void (*refused)(const struct task *task, struct verdict verdict);
  /* The worker ends while it has no task. NULL: nothing is to be done. */
  void (*leaving)(void);
  /* In a child that the script of `task` has forked (NULL: it has none): closes what is the worker's alone. */
  void (*copied)(const struct task *task);
};

/* The lane of a worker whose jobs come over `channel`; its slate is in `slot`, if it has one. */
const struct lane *routed_lane(int channel, unsigned slot);

/* The lane of a worker that accepts on the site's own socket; its counters are in `slot`. */
const struct lane *direct_lane(unsigned slot);

#endif
