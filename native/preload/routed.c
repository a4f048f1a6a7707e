#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "counters.h"
#include "intake.h"
#include "lane.h"
#include "protocol.h"

static int channel = -1;
static struct slate *slate;
static struct rusage usage_before;

static union {
  struct job job;
  unsigned char bytes[JOB_MAX];
} incoming;

/* php-cgi's close(2) and shutdown(2) are among the calls that the library stands in for. */
static void really_close(int fd) { syscall(SYS_close, fd); }
static void shutdown_for_all(int fd) { syscall(SYS_shutdown, fd, SHUT_RDWR); }
static void end_answer(int fd) { syscall(SYS_shutdown, fd, SHUT_WR); }

static uint64_t microseconds(struct timeval after, struct timeval before) {
  return (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 + after.tv_usec - before.tv_usec);
}

/* Descriptors arrive close-on-exec: what a script starts must not inherit them. */
static ssize_t receive_job(int fds[2]) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct iovec part = {&incoming, sizeof incoming};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n;
  do n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  fds[0] = fds[1] = -1;
  struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
    memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
  return n;
}

static int is_sound(ssize_t length, const int fds[2]) {
  const struct job *job = &incoming.job;
  if (length < (ssize_t)sizeof *job || job->magic != JOB_MAGIC || fds[0] < 0) return 0;
  size_t rest = (size_t)length - sizeof *job;
  if (job->params_length > rest) return 0;
  if (job->flags & JOB_BODY_FILE) return fds[1] >= 0;
  return job->body_length == rest - job->params_length;
}

static int next(struct task *task) {
  int fds[2];
  ssize_t n = receive_job(fds);
  if (n <= 0 || !is_sound(n, fds)) _exit(0);
  const struct job *job = &incoming.job;
  const unsigned char *params = incoming.bytes + sizeof *job;
  *task = (struct task){.connection = fds[0],
                        .request_id = job->request_id,
                        .params = params,
                        .params_length = job->params_length,
                        .body = params + job->params_length,
                        .body_file = job->flags & JOB_BODY_FILE ? fds[1] : -1,
                        .body_length = job->body_length};
  if (job->flags & JOB_OWES_END) intake_expect_end(task->connection, job->request_id);
  return 1;
}

/* The router looks at the slate. One that was started again may not know of it. */
static int is_followed(void) { return slate && atomic_load((_Atomic uint32_t *)&slate->followed); }

/* The router has asked for a message, or has no other way to learn of it. */
static int is_wanted(uint32_t sequence) {
  return !is_followed() || atomic_load((_Atomic uint32_t *)&slate->wanted) == sequence;
}

/* `over` is written when all the rest is, and before it is asked whether anybody waits for it. */
static void write_down(const struct note *note) {
  if (!slate) return;
  slate->note = *note;
  atomic_store((_Atomic uint32_t *)&slate->over, note->sequence);
}

/* A router that is gone ends this worker by the end of its channel. */
static int send_note(const struct note *note) {
  ssize_t sent;
  do sent = send(channel, note, sizeof *note, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

/*
 * Lets go of the job, and tells the router that it is over. The router then
 * ends the connection, after a page of its own where there is no whole answer;
 * where the router is gone, it is ended here. A router that is not told ends the
 * connection only when it looks. nginx would wait until then, so the answer's
 * end is said here.
 */
static void end_job(const struct task *task, struct note *note) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  note->sequence = incoming.job.sequence;
  note->bytes_out = answer.bytes;
  note->user_us = microseconds(usage.ru_utime, usage_before.ru_utime);
  note->system_us = microseconds(usage.ru_stime, usage_before.ru_stime);
  note->max_rss_kb = (uint64_t)usage.ru_maxrss;
  note->ended_us = now_us();
  usage_before = usage;
  write_down(note);
  /* A worker that ends is not to be given another job meanwhile. */
  int needs_nobody = note->flags & (NOTE_COMPLETE | NOTE_PEER_GONE);
  int is_silent = needs_nobody && !is_wanted(note->sequence) && !(note->flags & NOTE_LAST);
  int is_told = is_silent || send_note(note);
  if (!is_told) shutdown_for_all(task->connection);
  if (is_silent && !(incoming.job.flags & JOB_KEEP)) end_answer(task->connection);
  really_close(task->connection);
  if (task->body_file >= 0) really_close(task->body_file);
  if (!is_told) _exit(0);
}

static void started(void) {
  struct note note = {.type = NOTE_STARTED, .sequence = incoming.job.sequence, .status = answer.status};
  if (is_followed())
    atomic_store((_Atomic uint32_t *)&slate->started, note.sequence);
  else
    send_note(&note);
}

static void finished(const struct task *task, int is_last) {
  struct note note = {.type = NOTE_DONE, .status = answer.status};
  if (answer.ended) note.flags |= NOTE_COMPLETE;
  if (answer.peer_gone) note.flags |= NOTE_PEER_GONE;
  if (is_last) note.flags |= NOTE_LAST;
  /* Where the answer is not whole the router writes one, and reads the end itself. */
  if (answer.ended && (incoming.job.flags & JOB_OWES_END)) intake_drain(task->connection);
  end_job(task, &note);
}

/* The router has its copy of the connection, and answers on it. */
static void refused(const struct task *task, struct verdict verdict) {
  struct note note = {.type = NOTE_REFUSED, .status = verdict.reason, .found = verdict.found};
  end_job(task, &note);
}

static void copied(const struct task *task) {
  if (task) really_close(task->connection);
  really_close(channel);
}

const struct lane *routed_lane(int job_channel, unsigned slot) {
  static const struct lane lane = {next, started, finished, refused, NULL, copied};
  channel = job_channel;
  slate = shared_slot(slot, sizeof *slate);
  /* Whoever followed the worker before this one. */
  if (slate) memset(slate, 0, sizeof *slate);
  getrusage(RUSAGE_SELF, &usage_before);
  return &lane;
}
