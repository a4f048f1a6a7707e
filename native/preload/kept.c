#define _GNU_SOURCE
#include "kept.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of more than that, or a quarter of the descriptors that there may be, the one unused for longest is closed. */
enum { KEPT_MAX = 256, KEPT_AT_ONCE = 16 };
enum { RECORD_HEADER = 8, STDIN_RECORD = 5 };

/* Pairs of sockets: workers give on [1] and the template takes on [0]; the template lends on [1], workers take on [0]. */
static int given[2] = {-1, -1}, lent[2] = {-1, -1};
static int idle = -1; /* the template's epoll instance for the connections that it has */
static int connections[KEPT_MAX]; /* in the order in which they came */
static int connection_count, connection_max;
static int is_full; /* workers have not taken yet what was lent */
static int told = -1; /* the worker's epoll instance */

/* close(2) is among the calls that the library stands in for. */
static void really_close(int *fd) {
  if (*fd >= 0) syscall(SYS_close, *fd);
  *fd = -1;
}

void kept_open(void) {
  struct rlimit limit;
  if (idle >= 0) return;
  connection_max = KEPT_MAX;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < KEPT_MAX) connection_max = (int)(limit.rlim_cur / 4);
  idle = epoll_create1(EPOLL_CLOEXEC);
  if (idle < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, given) < 0 ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lent) < 0)
    kept_leave();
}

/* Of a message that carries one descriptor, cmsg(3). */
union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static ssize_t send_descriptor(int channel, int fd, int flags) {
  char byte = 0;
  union control control;
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  ssize_t n;
  do n = sendmsg(channel, &message, flags | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

/* One at most: room for none of the others. -1 with errno, 0 at the channel's end. A message without one is EAGAIN. */
static int receive_descriptor(int channel) {
  char byte;
  union control control;
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))};
  int fd = -1;
  ssize_t n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n == 0) errno = 0;
  if (n <= 0) return -1;
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(c), sizeof fd);
  if (fd < 0) errno = EAGAIN;
  return fd;
}

void kept_watch(struct pollfd *fds) {
  fds[0] = (struct pollfd){.fd = given[0], .events = POLLIN};
  fds[1] = is_full ? (struct pollfd){.fd = lent[1], .events = POLLOUT} : (struct pollfd){.fd = idle, .events = POLLIN};
}

/* Somebody else may have a copy: then closing alone would leave it in the epoll instance. */
static void drop(int connection) {
  int kept = 0;
  epoll_ctl(idle, EPOLL_CTL_DEL, connection, NULL);
  syscall(SYS_close, connection);
  for (int i = 0; i < connection_count; i++)
    if (connections[i] != connection) connections[kept++] = connections[i];
  connection_count = kept;
}

static int bytes_on(int connection) {
  int n = 0;
  return ioctl(connection, FIONREAD, &n) < 0 ? 0 : n;
}

static void drop_one(void) {
  for (int i = 0; i < connection_count; i++)
    if (!bytes_on(connections[i])) {
      drop(connections[i]);
      return;
    }
  drop(connections[0]);
}

static void add(int connection) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = connection};
  if (connection_count && connection_count >= connection_max) drop_one();
  if (epoll_ctl(idle, EPOLL_CTL_ADD, connection, &event) < 0) syscall(SYS_close, connection);
  else connections[connection_count++] = connection;
}

static void take_given(void) {
  for (int i = 0; i < KEPT_AT_ONCE; i++) {
    int connection = receive_descriptor(given[0]);
    /* Ended by a worker, which has no business to. */
    if (connection < 0 && errno == 0) kept_leave();
    if (connection < 0) return;
    add(connection);
  }
}

/* Takes the end of the last request's body, where that is all that has come: no worker needs to look at it. */
static int is_only_an_end(int connection) {
  unsigned char record[RECORD_HEADER];
  if (bytes_on(connection) != RECORD_HEADER) return 0;
  if (recv(connection, record, sizeof record, MSG_PEEK | MSG_DONTWAIT) != RECORD_HEADER) return 0;
  if (record[0] != 1 || record[1] != STDIN_RECORD || record[4] || record[5] || record[6]) return 0;
  return recv(connection, record, sizeof record, MSG_DONTWAIT) == RECORD_HEADER;
}

static void lend_one(int connection, uint32_t events) {
  int has_left = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !bytes_on(connection);
  if (!has_left && is_only_an_end(connection)) return;
  if (!has_left && send_descriptor(lent[1], connection, MSG_DONTWAIT) < 0 && errno == EAGAIN) is_full = 1;
  else drop(connection);
}

static void lend(void) {
  struct epoll_event events[KEPT_AT_ONCE];
  int n = epoll_wait(idle, events, KEPT_AT_ONCE, 0);
  for (int i = 0; i < n && !is_full; i++) lend_one(events[i].data.fd, events[i].events);
}

static int is_ready(int fd, short events) {
  struct pollfd p = {.fd = fd, .events = events};
  return fd >= 0 && syscall(SYS_poll, &p, 1, 0) > 0;
}

void kept_serve(void) {
  if (idle < 0) return;
  take_given();
  if (idle < 0) return;
  if (is_full && is_ready(lent[1], POLLOUT)) is_full = 0;
  if (!is_full) lend();
}

int kept_waits(void) { return is_ready(lent[0], POLLIN); }

void kept_leave(void) {
  /* Those that wait for a worker would wait for the last of them to end. */
  for (int fd = receive_descriptor(lent[0]); fd >= 0; fd = receive_descriptor(lent[0])) syscall(SYS_close, fd);
  kept_forget();
  really_close(&given[1]);
  really_close(&lent[0]);
}

void kept_forget(void) {
  while (connection_count) syscall(SYS_close, connections[--connection_count]);
  really_close(&idle);
  really_close(&given[0]);
  really_close(&lent[1]);
  is_full = 0;
}

void kept_join(int epoll) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = lent[0]};
  told = epoll;
  if (lent[0] >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, lent[0], &event) < 0) kept_part();
}

void kept_part(void) {
  really_close(&given[1]);
  really_close(&lent[0]);
}

int kept_door(void) { return lent[0]; }

int kept_take(void) {
  int connection = receive_descriptor(lent[0]);
  /* The template is gone: its end would be told for ever. */
  if (connection < 0 && errno == 0) {
    epoll_ctl(told, EPOLL_CTL_DEL, lent[0], NULL);
    really_close(&lent[0]);
    errno = EAGAIN;
  }
  return connection;
}

void kept_give(int connection) {
  if (given[1] >= 0) send_descriptor(given[1], connection, MSG_DONTWAIT);
  syscall(SYS_close, connection);
}
