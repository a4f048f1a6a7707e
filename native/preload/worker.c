#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "protocol.h"
#include "rewrite.h"

static int channel = -1;
static int placeholder = -1; /* what php-cgi takes for its connection */
static int ends_after_job;
static int has_job;
static struct rusage usage_before;

static union {
  struct job job;
  unsigned char bytes[JOB_MAX];
} incoming;

/* What php-cgi still has to read: prepared bytes, then STDIN records made from a body. */
static unsigned char input[REWRITE_MAX];
static size_t input_at, input_end;
static const unsigned char *body_memory;
static int body_file = -1;
static uint64_t body_at, body_left;
static size_t chunk_left;
static int body_ended;

int worker_fd(void) { return placeholder; }

/* php-cgi's close(2) is one of the calls that the library stands in for. */
static void really_close(int fd) { syscall(SYS_close, fd); }

/* Not through shutdown(2), which is another of them. */
static void shutdown_for_all(int fd) { syscall(SYS_shutdown, fd, SHUT_RDWR); }

static uint64_t microseconds(struct timeval after, struct timeval before) {
  return (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 + after.tv_usec - before.tv_usec);
}

/*
 * Tells the router that the job is over, and lets go of it. The router then
 * ends the connection; where the router is gone, it is ended here.
 */
static void end_job(struct note *note) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  note->sequence = incoming.job.sequence;
  note->bytes_out = answer.bytes;
  note->user_us = microseconds(usage.ru_utime, usage_before.ru_utime);
  note->system_us = microseconds(usage.ru_stime, usage_before.ru_stime);
  note->max_rss_kb = (uint64_t)usage.ru_maxrss;
  usage_before = usage;
  has_job = 0;
  ssize_t sent;
  do sent = send(channel, note, sizeof *note, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) shutdown_for_all(answer.fd);
  really_close(answer.fd);
  answer.fd = -1;
  if (body_file >= 0) really_close(body_file);
  body_file = -1;
  if (sent < 0 || ends_after_job) _exit(0);
}

static void tell_started(void) {
  struct note note = {.type = NOTE_STARTED, .sequence = incoming.job.sequence, .status = answer.status};
  send(channel, &note, sizeof note, MSG_NOSIGNAL);
}

static void finish_job(void) {
  struct note note = {.type = NOTE_DONE, .status = answer.status};
  if (answer.ended) note.flags |= NOTE_COMPLETE;
  if (answer.peer_gone) note.flags |= NOTE_PEER_GONE;
  end_job(&note);
}

static void refuse_job(struct verdict verdict) {
  struct note note = {.type = NOTE_REFUSED, .status = verdict.reason, .found = verdict.found};
  end_job(&note);
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

static void prepare_body(int file) {
  const struct job *job = &incoming.job;
  body_memory = incoming.bytes + sizeof *job + job->params_length;
  body_file = job->flags & JOB_BODY_FILE ? file : -1;
  body_at = 0;
  body_left = job->body_length;
  chunk_left = 0;
  body_ended = 0;
}

void worker_next_job(void) {
  if (has_job) finish_job();
  for (;;) {
    int fds[2];
    ssize_t n = receive_job(fds);
    if (n <= 0 || !is_sound(n, fds)) _exit(0);
    answer_begin(fds[0], tell_started);
    prepare_body(fds[1]);
    input_at = input_end = 0;
    struct verdict verdict = rewrite_request(&incoming.job, incoming.bytes + sizeof(struct job), input, &input_end);
    if (verdict.reason == SCRIPT_OK) break;
    refuse_job(verdict);
  }
  has_job = 1;
}

static ssize_t read_prepared(void *buffer, size_t length) {
  size_t n = input_end - input_at < length ? input_end - input_at : length;
  memcpy(buffer, input + input_at, n);
  input_at += n;
  return (ssize_t)n;
}

static ssize_t read_body(void *buffer, size_t length) {
  size_t n = chunk_left < length ? chunk_left : length;
  if (body_file >= 0) {
    ssize_t got;
    do got = pread(body_file, buffer, n, (off_t)body_at);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return got;
    n = (size_t)got;
  } else {
    memcpy(buffer, body_memory + body_at, n);
  }
  body_at += n;
  body_left -= n;
  chunk_left -= n;
  return (ssize_t)n;
}

/* The next STDIN record's header; the one without content ends the body. */
static void prepare_stdin_header(void) {
  chunk_left = body_left < FCGI_CHUNK ? (size_t)body_left : FCGI_CHUNK;
  record_header(input, FCGI_STDIN, incoming.job.request_id, chunk_left);
  input_at = 0;
  input_end = FCGI_HEADER;
  if (!chunk_left) body_ended = 1;
}

ssize_t worker_read(void *buffer, size_t length) {
  if (!has_job || answer.ended) worker_next_job();
  if (input_at == input_end && !chunk_left) {
    if (body_ended) return 0;
    prepare_stdin_header();
  }
  return input_at < input_end ? read_prepared(buffer, length) : read_body(buffer, length);
}

void worker_become(int job_channel, int one_job) {
  channel = job_channel;
  ends_after_job = one_job;
  placeholder = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (placeholder < 0) _exit(1);
  getrusage(RUSAGE_SELF, &usage_before);
}
