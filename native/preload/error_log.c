#define _GNU_SOURCE
#include "error_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "site.h"

static int in_line;

int error_log_exists(void) { return site.error_log && *site.error_log; }

static size_t prefix(char *out, size_t size) {
  time_t now = time(NULL);
  struct tm utc;
  return gmtime_r(&now, &utc) ? strftime(out, size, "[%d-%b-%Y %H:%M:%S UTC] ", &utc) : 0;
}

/* One write for a line or a piece of it: appended, so nobody else's comes in between. */
static void append(int fd, const unsigned char *text, size_t length) {
  char time_text[40];
  struct iovec parts[2] = {{time_text, in_line ? 0 : prefix(time_text, sizeof time_text)}, {(void *)text, length}};
  ssize_t n;
  do n = writev(fd, parts, 2);
  while (n < 0 && errno == EINTR);
}

static int open_log(void) { return open(site.error_log, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }

void error_log_write(const unsigned char *text, size_t length) {
  if (!length) return;
  int fd = open_log();
  if (fd < 0) return;
  while (length) {
    const unsigned char *end = memchr(text, '\n', length);
    size_t n = end ? (size_t)(end - text) + 1 : length;
    append(fd, text, n);
    in_line = !end;
    text += n;
    length -= n;
  }
  syscall(SYS_close, fd);
}

void error_log_end(void) {
  if (in_line) error_log_write((const unsigned char *)"\n", 1);
}
