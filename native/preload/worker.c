#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "answer.h"
#include "feed.h"
#include "tree.h"

static const struct lane *lane;
static int placeholder = -1; /* what php-cgi takes for its connection */
static unsigned tasks_left;  /* counted down where has_limit */
static int has_limit, has_task;
static struct task task;
static int has_strays, is_ending;
static int is_copy; /* a child that a script has forked: no task is its own */

int worker_fd(void) { return placeholder; }

/* Refused tasks count as well: each may have brought something along that should not stay. */
static void count(void) {
  if (has_limit && --tasks_left == 0) _exit(0);
}

int worker_is_last(void) { return has_strays || is_ending || (has_limit && tasks_left == 1); }

int worker_has_strays(void) { return has_strays; }

/* The answer is the worker's to give: a copy of it that ends would end the answer too, before the script has. */
static void become_copy(void) {
  if (is_copy) return;
  is_copy = 1;
  answer.is_copy = 1;
  lane->copied(has_task ? &task : NULL);
}

/*
 * What the script has left running stays below this worker, whose end gives it
 * to the template, where the master sees it. So it never mixes with what later
 * requests start.
 */
static void finish(void) {
  has_task = 0;
  has_strays = tree_reap();
  lane->finished(&task, has_strays);
  if (has_strays) _exit(0);
  count();
}

int worker_next_task(void) {
  if (is_copy) _exit(0);
  if (has_task) finish();
  for (;;) {
    if (!lane->next(&task)) return 0;
    answer_begin(task.connection, lane->started);
    struct verdict verdict = feed_begin(&task);
    if (verdict.reason == SCRIPT_OK) break;
    lane->refused(&task, verdict);
    count();
  }
  has_task = 1;
  return 1;
}

ssize_t worker_read(void *buffer, size_t length) {
  if ((!has_task || answer.ended) && !worker_next_task()) {
    errno = 0;
    return 0;
  }
  return feed_read(buffer, length);
}

void worker_end(void) {
  if (!lane || is_copy) return;
  if (!has_task && lane->leaving) lane->leaving();
  if (!has_task || !answer.ended) return;
  has_task = 0;
  is_ending = 1;
  has_strays = tree_reap();
  lane->finished(&task, 1);
}

void worker_become(const struct lane *its_lane, unsigned tasks) {
  tree_hold();
  pthread_atfork(NULL, NULL, become_copy);
  lane = its_lane;
  has_limit = tasks > 0;
  tasks_left = tasks;
  placeholder = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (placeholder < 0) _exit(1);
}
