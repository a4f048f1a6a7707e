/*
 * The direct lane: the worker itself accepts on the site's own socket, reads
 * the request, checks peer and key, and answers refusals. Privilege: the
 * site's user. There is no router behind it: a connection carries one request
 * and is closed, kept or not, because an idle one would hold this worker.
 */
#define _GNU_SOURCE
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "answer.h"
#include "counters.h"
#include "intake.h"
#include "lane.h"
#include "logbook.h"
#include "pairs.h"
#include "protocol.h"
#include "rewrite.h"
#include "site.h"

static int listener = -1;
static int waiting = -1; /* an epoll instance of this worker alone */
static uint64_t request_name; /* of the present one, in the ledger */

static void end_connection(const struct task *task) {
  intake_drain(task->connection);
  syscall(SYS_shutdown, task->connection, SHUT_RDWR);
  syscall(SYS_close, task->connection);
  if (task->body_file >= 0) syscall(SYS_close, task->body_file);
  counters->last_end_ms = now_ms();
  counters->busy_since_ms = 0;
}

static const char *status_line(int reason) {
  switch (reason) {
    case SCRIPT_NOT_NAMED:
    case SCRIPT_NOT_FOUND: return "404 Not Found";
    case SCRIPT_BAD_PATH:
    case SCRIPT_BAD_PARAMS:
    case DIRECT_INTAKE + INTAKE_CUT_SHORT: return "400 Bad Request";
    case SCRIPT_NO_ROOT: return "503 Service Unavailable";
    case DIRECT_INTAKE + INTAKE_TIMEOUT: return "408 Request Timeout";
    case DIRECT_INTAKE + INTAKE_BODY_TOO_LARGE: return "413 Payload Too Large";
    case DIRECT_INTAKE + INTAKE_PARAMS_TOO_LARGE: return "431 Request Header Fields Too Large";
    case DIRECT_INTAKE + INTAKE_ROLE: return "501 Not Implemented";
    case DIRECT_INTAKE + INTAKE_SPOOL: return "500 Internal Server Error";
    default: return "403 Forbidden";
  }
}

/* The same page as the router's (src/router/refusal-page.ts); nothing of the request is in it. Returns its length. */
static uint64_t answer_refusal(const struct task *task, int reason) {
  unsigned char out[1024];
  char page[320];
  const char *status = status_line(reason);
  counters->refused++;
  counters->last_refusal = (uint32_t)reason;
  int body = snprintf(page, sizeof page,
                      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title></head>\n"
                      "<body><h1>%s</h1><p>Reference: %012llx</p></body></html>\n",
                      status, status, (unsigned long long)request_name);
  int length = snprintf((char *)out + FCGI_HEADER, sizeof out - 3 * FCGI_HEADER,
                        "Status: %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"
                        "Cache-Control: no-store\r\n\r\n%s",
                        status, body, page);
  record_header(out, FCGI_STDOUT, task->request_id, (size_t)length);
  unsigned char *end = out + FCGI_HEADER + length;
  record_header(end, FCGI_STDOUT, task->request_id, 0);
  record_header(end + FCGI_HEADER, FCGI_END_REQUEST, task->request_id, 8);
  memset(end + 2 * FCGI_HEADER, 0, 8);
  ssize_t sent = send(task->connection, out, (size_t)(end - out) + 3 * FCGI_HEADER, MSG_NOSIGNAL);
  return sent > 0 ? (uint64_t)sent : 0;
}

/* The request is over before PHP has seen it. */
static void refuse(const struct task *task, int reason) {
  uint64_t bytes = answer_refusal(task, reason);
  end_connection(task);
  logbook_end((unsigned)atoi(status_line(reason)), (unsigned)reason, bytes);
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

/*
 * Idle: SIGTERM from the master is the way to end. Its handler is php-cgi's, and interrupts the wait, as do SIGCONT
 * and a debugger that looks in; php-cgi knows which of them it was. Of workers that wait in accept(2) the kernel wakes
 * the one that has waited longest, so all of them take turns and none keeps its caches. Of those that wait in
 * epoll_wait(2), with EPOLLEXCLUSIVE, it wakes the first that is idle. A connection that another one has taken
 * meanwhile is EAGAIN. Returns -1 with errno when there is none.
 */
static int accept_one(void) {
  struct epoll_event event;
  if (epoll_wait(waiting, &event, 1, -1) < 0) return -1;
  return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* Returns whether there is a task; everything else has been answered or closed. */
static int receive(int connection, struct task *task) {
  struct timeval timeout = {.tv_sec = (time_t)(site.direct.read_timeout_ms / 1000),
                            .tv_usec = (suseconds_t)(site.direct.read_timeout_ms % 1000) * 1000};
  *task = (struct task){.connection = connection, .body_file = -1};
  if (!is_web_server(connection)) {
    counters->refused++;
    counters->last_refusal = DIRECT_STRANGER;
    end_connection(task);
    return 0;
  }
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  enum intake_result result = intake_read(connection, site.direct.max_body, task);
  task->connection = connection;
  if (result == INTAKE_CLOSE) {
    end_connection(task);
    return 0;
  }
  request_name = logbook_begin(task);
  int refusal = result == INTAKE_COMPLETE ? check_key(task) : DIRECT_INTAKE + (int)result;
  if (refusal) refuse(task, refusal);
  return refusal == 0;
}

static int next(struct task *task) {
  for (;;) {
    int connection = accept_one();
    if (connection < 0 && errno == EINTR) return 0;
    if (connection < 0 && errno != ECONNABORTED && errno != EAGAIN) _exit(0);
    if (connection < 0) continue;
    counters->busy_since_ms = now_ms();
    logbook_accepted();
    if (receive(connection, task)) return 1;
  }
}

static void started(void) {}

static void finished(const struct task *task, int is_last) {
  (void)is_last; /* nobody is told: another worker accepts */
  counters->served++;
  counters->bytes_out += answer.bytes;
  unsigned reason = answer.ended ? 0 : answer.peer_gone ? DIRECT_VISITOR_LEFT : DIRECT_CUT;
  end_connection(task);
  logbook_end(answer.status, reason, answer.bytes);
}

static void refused(const struct task *task, struct verdict verdict) { refuse(task, (int)verdict.reason); }

const struct lane *direct_lane(unsigned slot) {
  static const struct lane lane = {next, started, finished, refused};
  counters_choose(slot);
  logbook_choose(slot);
  listener = fcntl(GUISE_LISTEN_FD, F_DUPFD_CLOEXEC, GUISE_COUNTERS_FD + 1);
  waiting = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
  if (listener < 0 || epoll_ctl(waiting, EPOLL_CTL_ADD, listener, &event) < 0) _exit(1);
  return &lane;
}
