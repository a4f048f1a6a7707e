/*
 * The library that is preloaded into php-cgi. It stands in for seven calls of
 * libc, and only for the one descriptor that php-cgi takes for its connection;
 * everything else goes straight to the kernel. Privilege: the site's user. A
 * process that the master did not start is left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "image.h"
#include "protocol.h"
#include "site.h"
#include "template.h"
#include "title.h"
#include "worker.h"

#define EXPORT __attribute__((visibility("default")))

static int active;

/*
 * Programs that scripts start run as the same user: they could look into the
 * workers through ptrace and /proc/PID/mem. Workers inherit this at the fork.
 * A site that has core files written wants to look into its processes.
 */
static void keep_others_out(void) {
  struct rlimit core;
  if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max > 0) return;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

__attribute__((constructor)) static void start(int argc, char **argv) {
  title_init(argc, argv);
  active = site_from_environment();
  if (active) keep_others_out();
  if (active) image_prepare();
  site_erase_environment();
  /* The title is written over the arguments, which php-cgi still has to read: template_serve() sets it. */
}

__attribute__((destructor)) static void end(void) { worker_end(); }

static int is_connection(int fd) { return active && fd >= 0 && fd == worker_fd(); }

EXPORT int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length) {
  if (!active || fd != GUISE_LISTEN_FD) return (int)syscall(SYS_accept, fd, address, length);
  if (worker_fd() < 0) template_serve();
  if (!worker_next_task()) {
    errno = EINTR;
    return -1;
  }
  if (address && length && *length >= sizeof(sa_family_t)) {
    address->sa_family = AF_UNIX;
    *length = sizeof(sa_family_t);
  }
  return worker_fd();
}

EXPORT ssize_t read(int fd, void *buffer, size_t length) {
  if (is_connection(fd)) return worker_read(buffer, length);
  return syscall(SYS_read, fd, buffer, length);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t length) {
  if (is_connection(fd)) return answer_write(buffer, length);
  return syscall(SYS_write, fd, buffer, length);
}

/*
 * After accept(2), php-cgi waits up to 5 s for the first byte, which is there
 * already. (Under its own name glibc's header says that poll only writes to
 * fds, and the compiler would warn of reading it.)
 */
EXPORT int poll_call(struct pollfd *fds, nfds_t count, int timeout) __asm__("poll");
int poll_call(struct pollfd *fds, nfds_t count, int timeout) {
  if (count == 1 && is_connection(fds->fd)) {
    fds->revents = fds->events & (POLLIN | POLLOUT);
    return 1;
  }
  return (int)syscall(SYS_poll, fds, count, timeout);
}

EXPORT ssize_t recv(int fd, void *buffer, size_t length, int flags) {
  if (is_connection(fd)) return 0;
  return syscall(SYS_recvfrom, fd, buffer, length, flags, NULL, NULL);
}

EXPORT int shutdown(int fd, int how) {
  if (is_connection(fd)) return 0;
  return (int)syscall(SYS_shutdown, fd, how);
}

/* php-cgi closes its connection after a failed write; the placeholder stays for the next job. */
EXPORT int close(int fd) {
  if (is_connection(fd)) return 0;
  return (int)syscall(SYS_close, fd);
}
