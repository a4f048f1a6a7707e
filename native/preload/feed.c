#define _GNU_SOURCE
#include "feed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rewrite.h"

/* Prepared bytes, then STDIN records made from the body. */
static unsigned char input[REWRITE_MAX];
static size_t input_at, input_end;
static struct task body;
static uint64_t body_at, body_left;
static size_t chunk_left;
static int body_ended;

struct verdict feed_begin(const struct task *task) {
  body = *task;
  body_at = 0;
  body_left = task->body_length;
  chunk_left = 0;
  body_ended = 0;
  input_at = input_end = 0;
  return rewrite_request(task, input, &input_end);
}

static ssize_t read_prepared(void *buffer, size_t length) {
  size_t n = input_end - input_at < length ? input_end - input_at : length;
  memcpy(buffer, input + input_at, n);
  input_at += n;
  return (ssize_t)n;
}

static ssize_t read_body(void *buffer, size_t length) {
  size_t n = chunk_left < length ? chunk_left : length;
  if (body.body_file >= 0) {
    ssize_t got;
    do got = pread(body.body_file, buffer, n, (off_t)body_at);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return got;
    n = (size_t)got;
  } else {
    memcpy(buffer, body.body + body_at, n);
  }
  body_at += n;
  body_left -= n;
  chunk_left -= n;
  return (ssize_t)n;
}

/* The next STDIN record's header; the one without content ends the body. */
static void prepare_stdin_header(void) {
  chunk_left = body_left < FCGI_CHUNK ? (size_t)body_left : FCGI_CHUNK;
  record_header(input, FCGI_STDIN, body.request_id, chunk_left);
  input_at = 0;
  input_end = FCGI_HEADER;
  if (!chunk_left) body_ended = 1;
}

ssize_t feed_read(void *buffer, size_t length) {
  if (input_at == input_end && !chunk_left) {
    if (body_ended) return 0;
    prepare_stdin_header();
  }
  return input_at < input_end ? read_prepared(buffer, length) : read_body(buffer, length);
}
