#define _GNU_SOURCE
#include "answer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "error_log.h"
#include "rewrite.h"

enum { HOLD_MAX = 16 * 1024 };

struct answer answer;

static unsigned char held[HOLD_MAX];
static size_t held_length;

/* The framing: bytes of the header so far, then what is left of content and padding. */
static unsigned char header[FCGI_HEADER];
static size_t header_length;
static size_t content_left, padding_left;
static int end_seen;

/* PHP's errors do not go to the web server. What is left of such a record: content, then padding. */
enum { KEPT_MAX = 32 * 1024 };
static unsigned char kept[KEPT_MAX];
static size_t error_left, error_padding_left;

void answer_begin(int fd, void (*on_start)(void)) {
  memset(&answer, 0, sizeof answer);
  answer.fd = fd;
  answer.on_start = on_start;
  held_length = header_length = content_left = padding_left = 0;
  end_seen = 0;
  error_left = error_padding_left = 0;
  error_log_end();
}

/* php-cgi writes "Status: 404 Not Found" first, and nothing of the kind for 200. */
static void read_status(const unsigned char *content, size_t length) {
  static const char prefix[] = "Status: ";
  answer.status = 200;
  if (length < sizeof prefix + 2 || memcmp(content, prefix, sizeof prefix - 1)) return;
  unsigned status = 0;
  for (size_t i = sizeof prefix - 1; i < sizeof prefix + 2; i++) {
    if (content[i] < '0' || content[i] > '9') return;
    status = status * 10 + (content[i] - '0');
  }
  answer.status = status;
}

static void header_complete(const unsigned char *after, size_t available) {
  content_left = (size_t)header[4] << 8 | header[5];
  padding_left = header[6];
  if (header[1] == FCGI_STDOUT && content_left && !answer.status)
    read_status(after, available < content_left ? available : content_left);
}

static void record_complete(void) {
  if (header[1] == FCGI_END_REQUEST) end_seen = 1;
  header_length = 0;
}

static size_t skip(size_t *left, size_t available) {
  size_t n = *left < available ? *left : available;
  *left -= n;
  return n;
}

/* Returns whether the bytes seen so far end between two records. */
static int follow(const unsigned char *data, size_t length) {
  size_t i = 0;
  while (i < length) {
    while (header_length < FCGI_HEADER && i < length) {
      header[header_length++] = data[i++];
      if (header_length == FCGI_HEADER) header_complete(data + i, length - i);
    }
    i += skip(&content_left, length - i);
    i += skip(&padding_left, length - i);
    if (header_length == FCGI_HEADER && !content_left && !padding_left) record_complete();
  }
  return header_length == 0;
}

/* Where the first STDERR record of these bytes begins; -1: there is none. php-cgi writes whole headers. */
static ssize_t find_error(const unsigned char *data, size_t length) {
  if (header_length && header_length < FCGI_HEADER) return -1;
  size_t at = content_left + padding_left;
  for (; at + FCGI_HEADER <= length; at += FCGI_HEADER + ((size_t)data[at + 4] << 8 | data[at + 5]) + data[at + 6])
    if (data[at + 1] == FCGI_STDERR) return (ssize_t)at;
  return -1;
}

/* The beginning of these bytes that belongs to an error which began before; returns its length. */
static size_t divert_rest(const unsigned char *data, size_t length) {
  size_t n = skip(&error_left, length);
  error_log_write(data, n);
  return n + skip(&error_padding_left, length - n);
}

/* Copies everything but errors, from `at` on, behind what is kept already; returns how much is kept then. */
static size_t divert(const unsigned char *data, size_t at, size_t length) {
  size_t n = at;
  memcpy(kept, data, at);
  while (at < length) {
    if (at + FCGI_HEADER > length) {
      memcpy(kept + n, data + at, length - at);
      return n + length - at;
    }
    size_t content = (size_t)data[at + 4] << 8 | data[at + 5], whole = FCGI_HEADER + content + data[at + 6];
    if (data[at + 1] == FCGI_STDERR) {
      error_left = content;
      error_padding_left = data[at + 6];
      at += FCGI_HEADER;
      at += divert_rest(data + at, length - at);
    } else {
      size_t available = whole < length - at ? whole : length - at;
      memcpy(kept + n, data + at, available);
      n += available;
      at += available;
    }
  }
  return n;
}

static int wait_writable(void) {
  struct pollfd p = {.fd = answer.fd, .events = POLLOUT};
  return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

/* The connection is non-blocking, for the router shares it; php-cgi expects a write that waits. */
static int send_all(struct iovec *parts, size_t count) {
  while (count) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t n = sendmsg(answer.fd, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN && wait_writable()) continue;
    if (n < 0) return 0;
    answer.bytes += (uint64_t)n;
    while (count && (size_t)n >= parts->iov_len) {
      n -= (ssize_t)parts->iov_len;
      parts++;
      count--;
    }
    if (count) {
      parts->iov_base = (char *)parts->iov_base + n;
      parts->iov_len -= (size_t)n;
    }
  }
  return 1;
}

static ssize_t send_or_hold(const void *data, size_t length) {
  if (answer.is_copy) return (ssize_t)length;
  int whole = follow(data, length);
  if (!whole && held_length + length <= HOLD_MAX) {
    memcpy(held + held_length, data, length);
    held_length += length;
    return (ssize_t)length;
  }
  if (!answer.started && !end_seen) answer.on_start();
  answer.started = 1;
  struct iovec parts[2] = {{held, held_length}, {(void *)data, length}};
  held_length = 0;
  if (!send_all(parts, 2)) {
    answer.peer_gone = 1;
    return -1;
  }
  answer.ended = end_seen;
  return (ssize_t)length;
}

ssize_t answer_write(const void *data, size_t length) {
  if (answer.peer_gone || answer.ended) {
    errno = EPIPE;
    return -1;
  }
  const unsigned char *bytes = data;
  size_t n = length;
  if (error_log_exists()) {
    size_t diverted = divert_rest(bytes, n);
    bytes += diverted;
    n -= diverted;
    ssize_t at = n <= KEPT_MAX ? find_error(bytes, n) : -1;
    if (at >= 0) {
      n = divert(bytes, (size_t)at, n);
      bytes = kept;
    }
    if (!n) return (ssize_t)length;
  }
  return send_or_hold(bytes, n) < 0 ? -1 : (ssize_t)length;
}
