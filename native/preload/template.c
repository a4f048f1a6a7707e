#define _GNU_SOURCE
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "engine.h"
#include "image.h"
#include "kept.h"
#include "protocol.h"
#include "site.h"
#include "title.h"
#include "tree.h"
#include "worker.h"

/* Which worker a child is: open addressing would be overkill for the few hundred there can be. */
struct child {
  pid_t pid;
  uint32_t worker;
};
static struct child *children;
static size_t child_count, child_room;
static int master_gone;
static uint64_t master_gone_ms;
static int has_direct_workers;
static uint64_t globals; /* PHP's, for the slow log */
static uint32_t engine;

enum { ASK_PERIOD_MS = 1000 };

static void on_child(int signal) { (void)signal; }

static void lose_master(void) {
  if (!master_gone) master_gone_ms = now_ms();
  master_gone = 1;
  kept_leave();
}

/* Reports may wait until the master reads; a master that is gone gets none. */
static void report(struct report *message) {
  ssize_t n;
  if (master_gone) return;
  do n = send(GUISE_MASTER_FD, message, sizeof *message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) lose_master();
}

static int remember(pid_t pid, uint32_t worker) {
  if (child_count == child_room) {
    size_t room = child_room ? child_room * 2 : 16;
    struct child *more = realloc(children, room * sizeof *more);
    if (!more) return 0;
    children = more;
    child_room = room;
  }
  children[child_count++] = (struct child){pid, worker};
  return 1;
}

static uint32_t forget(pid_t pid) {
  for (size_t i = 0; i < child_count; i++) {
    if (children[i].pid != pid) continue;
    uint32_t worker = children[i].worker;
    children[i] = children[--child_count];
    return worker;
  }
  return 0;
}

static uint64_t to_us(struct timeval t) { return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec; }

static void reap(void) {
  struct rusage usage;
  int status;
  pid_t pid;
  while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
    struct report message = {.type = REPORT_EXITED,
                             .worker = forget(pid),
                             .pid = pid,
                             .status = status,
                             .user_us = to_us(usage.ru_utime),
                             .system_us = to_us(usage.ru_stime),
                             .max_rss_kb = (uint64_t)usage.ru_maxrss};
    if (message.worker) report(&message);
  }
}

/* php-cgi needs no listening socket any more, and what scripts start would inherit it. */
static void forget_listener(void) {
  int null = open("/dev/null", O_RDWR);
  if (null >= 0) dup2(null, GUISE_LISTEN_FD);
  if (null > GUISE_LISTEN_FD) syscall(SYS_close, null);
}

/* Workers of a site that start together and take turns must not all end together: up to a fifth less for some. */
static unsigned staggered(unsigned limit, uint32_t slot) { return limit - limit / 20 * (slot % 5); }

/* In the child: the kernel attaches its true pid to this report, so nobody has to believe it. */
static void become_worker(const struct order *order, int channel, const sigset_t *mask) {
  int is_direct = (order->flags & ORDER_DIRECT) != 0;
  kept_forget();
  /*
   * Not a session of its own: Linux shares processor time between sessions
   * first (sched(7), autogroup), so a busy site would weigh as many times as it
   * has workers, against a router that counts once.
   */
  setpgid(0, 0);
  title_set("worker", site.name);
  /* Before anybody hears of it: the slate is empty then. */
  const struct lane *lane = is_direct ? direct_lane(order->slot) : routed_lane(channel, order->slot);
  struct report born = {.type = REPORT_BORN,
                        .worker = order->worker,
                        .pid = getpid(),
                        .user_us = globals,
                        .system_us = engine};
  report(&born);
  syscall(SYS_close, GUISE_MASTER_FD);
  tree_forget_list();
  /* The direct lane keeps it elsewhere. */
  forget_listener();
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  free(children);
  children = NULL;
  unsigned limit = is_direct ? staggered(site.direct.max_requests, order->slot) : 0;
  worker_become(lane, order->flags & ORDER_ONE_JOB ? 1 : limit);
}

/* Returns 1 in the new worker. */
static int fork_worker(const struct order *order, int channel, const sigset_t *mask) {
  if (order->flags & ORDER_DIRECT) {
    has_direct_workers = 1;
    kept_open();
  }
  if (order->flags & ORDER_ONE_JOB) image_arrange();
  pid_t pid = fork();
  if (pid == 0) {
    become_worker(order, channel, mask);
    return 1;
  }
  int failed = pid < 0 ? errno : 0;
  if (channel >= 0) syscall(SYS_close, channel);
  if (failed || !remember(pid, order->worker)) {
    struct report message = {.type = REPORT_FAILED, .worker = order->worker, .pid = pid, .status = failed};
    report(&message);
  }
  return 0;
}

static ssize_t receive_order(struct order *order, int *channel) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {order, sizeof *order};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *channel = -1;
  ssize_t n = recvmsg(GUISE_MASTER_FD, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) memcpy(channel, CMSG_DATA(c), sizeof(int));
  return n;
}

/* Follows the orders that wait. Returns 1 in a new worker. */
static int follow_orders(const sigset_t *mask) {
  for (;;) {
    struct order order;
    int channel;
    ssize_t n = receive_order(&order, &channel);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR) lose_master();
      return 0;
    }
    if (n == 0) {
      lose_master();
      return 0;
    }
    if (n == (ssize_t)sizeof order && order.type == ORDER_LIST && channel >= 0) {
      tree_list(channel);
      continue;
    }
    if (n == (ssize_t)sizeof order && order.type == ORDER_CLOSE) kept_leave();
    int is_complete = channel >= 0 || (order.flags & ORDER_DIRECT);
    if (n == (ssize_t)sizeof order && order.type == ORDER_FORK && is_complete) {
      if (fork_worker(&order, channel, mask)) return 1;
    } else if (channel >= 0) {
      syscall(SYS_close, channel);
    }
  }
}

/*
 * Workers that accept by themselves would do so for ever. One that is busy ends
 * its request first, and may miss the signal: it is sent again every second.
 */
static void dismiss_workers(void) {
  for (size_t i = 0; i < child_count; i++) kill(children[i].pid, SIGTERM);
}

/*
 * Without a master no worker is forked any more, and those that run are waited
 * for. Nobody else enforces the time limit then: what is still running after
 * it began before it, or is no request.
 */
static void end_without_master(void) {
  int is_overdue = site.time_limit_ms && now_ms() - master_gone_ms > site.time_limit_ms;
  if (child_count == 0 || is_overdue) {
    tree_end();
    _exit(0);
  }
  if (has_direct_workers) dismiss_workers();
}

/* Once a second at most: a site that cannot have any may have some then, and one whose workers die asks no faster. */
static void ask_for_workers(void) {
  static uint64_t asked_ms;
  struct report message = {.type = REPORT_WAITING};
  if (asked_ms && now_ms() - asked_ms < ASK_PERIOD_MS) return;
  asked_ms = now_ms();
  report(&message);
}

void template_serve(void) {
  sigset_t blocked, mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_BLOCK, &blocked, &mask);
  signal(SIGCHLD, on_child);
  title_set("template", site.name);
  tree_hold();
  shared_map();
  globals = engine_globals();
  engine = engine_version();
  struct report ready = {.type = REPORT_READY, .pid = getpid()};
  report(&ready);
  for (;;) {
    reap();
    if (master_gone) end_without_master();
    int asks = child_count == 0 && kept_waits();
    if (asks) ask_for_workers();
    struct timespec second = {.tv_sec = 1};
    struct pollfd fds[1 + KEPT_POLLED] = {{.fd = master_gone ? -1 : GUISE_MASTER_FD, .events = POLLIN}};
    kept_watch(fds + 1);
    if (ppoll(fds, 1 + KEPT_POLLED, master_gone || asks ? &second : NULL, &mask) <= 0) continue;
    if (fds[0].revents && follow_orders(&mask)) return;
    kept_serve();
  }
}
