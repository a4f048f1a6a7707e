/*
 * The direct lane: the worker itself accepts on the site's own socket, reads
 * the request, checks peer and key, and answers refusals. Privilege: the
 * site's user. There is no router behind it. A connection that the web server
 * keeps is waited for between two requests without holding this worker (kept.h).
 */
#define _GNU_SOURCE
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "answer.h"
#include "counters.h"
#include "intake.h"
#include "kept.h"
#include "lane.h"
#include "logbook.h"
#include "pairs.h"
#include "protocol.h"
#include "refusal.h"
#include "site.h"
#include "worker.h"

static int listener = -1;
static int waiting = -1; /* an epoll instance of this worker alone */
static int held = -1;    /* a kept connection, in that instance */
static int has_more;     /* something of its next request is there already */
static int was_lent;     /* the last connection that is new here has come through the other door */
static uint64_t request_name; /* of the present one, in the ledger */

static void rest(void) {
  counters->last_end_ms = now_ms();
  counters->busy_since_ms = 0;
}

/* A copy that a script's child has would stay in the instance. */
static void let_go(void) {
  epoll_ctl(waiting, EPOLL_CTL_DEL, held, NULL);
  held = -1;
  has_more = 0;
}

static void close_body(const struct task *task) {
  if (task->body_file >= 0) syscall(SYS_close, task->body_file);
}

static void end_connection(const struct task *task) {
  if (task->connection == held) let_go();
  intake_drain(task->connection);
  syscall(SYS_shutdown, task->connection, SHUT_RDWR);
  syscall(SYS_close, task->connection);
  close_body(task);
  rest();
}

/* The kernel wakes the first of those that wait: one without a connection should be found before one with. */
static void queue_up(int door) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = door};
  if (door < 0) return;
  epoll_ctl(waiting, EPOLL_CTL_DEL, door, NULL);
  /* A worker that hears of nothing would seem to be idle for ever. */
  if (epoll_ctl(waiting, EPOLL_CTL_ADD, door, &event) < 0) _exit(1);
}

/* Waits for the next request on this connection as well. Returns whether it could. */
static int hold(int connection) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = connection};
  if (connection == held) return 1;
  if (epoll_ctl(waiting, EPOLL_CTL_ADD, connection, &event) < 0) return 0;
  held = connection;
  /* The other door is looked at first, so that neither starves. */
  queue_up(was_lent ? listener : kept_door());
  queue_up(was_lent ? kept_door() : listener);
  return 1;
}

static void give_away(int connection) {
  if (connection == held) let_go();
  kept_give(connection);
}

/* A worker that ends reads nothing more and closes nothing: a request may be on its way. */
static void keep_connection(const struct task *task) {
  int stays = !worker_is_last() && hold(task->connection);
  if (stays) {
    has_more = intake_renew();
  } else if (intake_has_bytes()) {
    end_connection(task); /* what has come of the next request is in this worker's memory */
    return;
  } else {
    give_away(task->connection);
  }
  close_body(task);
  rest();
}

/* The answer has been given. What a script has left running may have a copy of the connection: then it ends for all. */
static void leave_connection(const struct task *task, int is_whole) {
  if (is_whole && intake_keeps() && kept_door() >= 0 && !worker_has_strays()) keep_connection(task);
  else end_connection(task);
}

/* The request is over before PHP has seen it. */
static void refuse(const struct task *task, int reason) {
  uint64_t bytes;
  counters->refused++;
  counters->last_refusal = (uint32_t)reason;
  int is_whole = refusal_send(task, reason, request_name, &bytes);
  /* Of a request that has not come whole the rest follows. */
  leave_connection(task, is_whole && reason < DIRECT_INTAKE);
  logbook_end(refusal_status(reason), (unsigned)reason, bytes);
}

static int is_web_server(int connection) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return 0;
  for (int i = 0; i < site.direct.web_uid_count; i++)
    if (site.direct.web_uids[i] == peer.uid) return 1;
  return 0;
}

/* Every byte is looked at, whatever the first ones say. */
static int same_key(const char *key, size_t length, struct span given) {
  unsigned char difference = length != given.length;
  for (size_t i = 0; i < length; i++) difference |= (unsigned char)(key[i] ^ (i < given.length ? given.at[i] : 0));
  return difference == 0;
}

static int is_accepted(struct span given) {
  int accepted = 0;
  for (const char *key = site.direct.keys; *key;) {
    size_t length = strcspn(key, ",");
    accepted |= same_key(key, length, given);
    key += length + (key[length] == ',');
  }
  return accepted;
}

/* 0, or the refusal. A key that comes twice with two values is no key. */
static int check_key(const struct task *task) {
  const unsigned char *at = task->params, *end = at + task->params_length;
  struct span name, value, key = {NULL, 0};
  if (!*site.direct.keys) return 0;
  while (pair_next(&at, end, &name, &value) > 0) {
    if (!span_is(name, "GUISE_KEY")) continue;
    if (key.at && (key.length != value.length || memcmp(key.at, value.at, key.length))) return DIRECT_NO_KEY;
    key = value;
  }
  if (!key.length) return DIRECT_NO_KEY;
  return is_accepted(key) ? 0 : DIRECT_WRONG_KEY;
}

/* Returns whether the peer may ask for anything. */
static int welcome(int connection, int is_kept) {
  struct timeval timeout = {.tv_sec = (time_t)(site.direct.read_timeout_ms / 1000),
                            .tv_usec = (suseconds_t)(site.direct.read_timeout_ms % 1000) * 1000};
  if (!is_web_server(connection)) {
    counters->refused++;
    counters->last_refusal = DIRECT_STRANGER;
    return 0;
  }
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  intake_begin(connection, site.direct.max_body, is_kept);
  return 1;
}

/*
 * Idle: SIGTERM from the master is the way to end. Its handler is php-cgi's, and interrupts the wait, as do SIGCONT
 * and a debugger that looks in; php-cgi knows which of them it was. Of workers that wait in accept(2) the kernel wakes
 * the one that has waited longest, so all of them take turns and none keeps its caches. Of those that wait in
 * epoll_wait(2), with EPOLLEXCLUSIVE, it wakes the first that is idle. A connection that another one has taken
 * meanwhile is EAGAIN. Returns -1 with errno when there is none; EAGAIN: one should look again.
 */
static int find_connection(void) {
  struct epoll_event event;
  if (has_more) return held;
  if (epoll_wait(waiting, &event, 1, -1) < 0) return -1;
  if (event.data.fd == held) return held;
  int is_lent = event.data.fd != listener;
  int connection = is_lent ? kept_take() : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) return -1;
  was_lent = is_lent;
  if (held >= 0) give_away(held);
  if (welcome(connection, is_lent)) return connection;
  end_connection(&(struct task){.connection = connection, .body_file = -1});
  errno = EAGAIN;
  return -1;
}

/* Returns whether there is a task; everything else has been answered, closed or kept. */
static int receive(int connection, struct task *task) {
  *task = (struct task){.connection = connection, .body_file = -1};
  has_more = 0;
  enum intake_result result = intake_read(task);
  if (result == INTAKE_NOTHING && hold(connection)) {
    counters->busy_since_ms = 0;
    return 0;
  }
  if (result == INTAKE_NOTHING || result == INTAKE_CLOSE) {
    uint64_t last_end_ms = counters->last_end_ms;
    end_connection(task);
    if (!task->request_id) counters->last_end_ms = last_end_ms; /* that was no request */
    return 0;
  }
  request_name = logbook_begin(task);
  int refusal = result == INTAKE_COMPLETE ? check_key(task) : DIRECT_INTAKE + (int)result;
  if (refusal) refuse(task, refusal);
  return refusal == 0;
}

/* Where one look brings no task, php-cgi asks whether a signal has come meanwhile before the next one. */
static int next(struct task *task) {
  int connection = find_connection();
  if (connection < 0 && errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) _exit(0);
  if (connection < 0) return 0;
  counters->busy_since_ms = now_ms();
  logbook_accepted();
  return receive(connection, task);
}

static void started(void) {}

static void finished(const struct task *task, int is_last) {
  (void)is_last; /* nobody is told: another worker accepts */
  counters->served++;
  counters->bytes_out += answer.bytes;
  unsigned reason = answer.ended ? 0 : answer.peer_gone ? DIRECT_VISITOR_LEFT : DIRECT_CUT;
  leave_connection(task, answer.ended && !answer.peer_gone);
  logbook_end(answer.status, reason, answer.bytes);
}

static void refused(const struct task *task, struct verdict verdict) { refuse(task, (int)verdict.reason); }

static void leaving(void) {
  if (has_more) end_connection(&(struct task){.connection = held, .body_file = -1});
  else if (held >= 0) give_away(held);
}

/* Nothing is to be waited for, read or answered there. */
static void copied(const struct task *task) {
  if (task) syscall(SYS_close, task->connection);
  if (held >= 0 && (!task || held != task->connection)) syscall(SYS_close, held);
  syscall(SYS_close, listener);
  syscall(SYS_close, waiting);
  kept_part();
}

const struct lane *direct_lane(unsigned slot) {
  static const struct lane lane = {next, started, finished, refused, leaving, copied};
  counters_choose(slot);
  logbook_choose(slot);
  listener = fcntl(GUISE_LISTEN_FD, F_DUPFD_CLOEXEC, GUISE_COUNTERS_FD + 1);
  waiting = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listener};
  if (listener < 0 || epoll_ctl(waiting, EPOLL_CTL_ADD, listener, &event) < 0) _exit(1);
  kept_join(waiting);
  return &lane;
}
