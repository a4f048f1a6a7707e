/*
 * A program in the place of a site's php-cgi that does what a test tells it. It connects to "puppet.sock" in its working
 * directory, tells of every order that the master gives it ("order WORKER"), and follows one command a line:
 *
 *   send HEX        these bytes to the master
 *   carry HEX N     the same, with N descriptors
 *   born WORKER     a child that reports itself as this worker and stays: "pid N"
 *   flash WORKER    a child that reports itself and is gone at once, and waited for: "pid N"
 *   reap            waits for children that have ended
 *   note N HEX      these bytes to the router, on the N-th job channel that came
 *   notes N HEX M   the same M times
 *   hang N          lets go of the N-th job channel
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORDER_FORK = 1, MASTER = 3, CHANNELS = 256, MOST = 64 * 1024 };

static int channels[CHANNELS], channel_count;
static FILE *told, *orders;
static unsigned char bytes[MOST];

static size_t from_hex(const char *text) {
  size_t n = 0;
  unsigned value;
  for (; n < MOST && sscanf(text + 2 * n, "%2x", &value) == 1; n++) bytes[n] = (unsigned char)value;
  return n;
}

static void carry(size_t length, int count) {
  int fds[256];
  char control[CMSG_SPACE(sizeof fds)] = {0};
  struct iovec part = {bytes, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 250) count = 250;
  for (int i = 0; i < count; i++) fds[i] = 1;
  if (count) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
  }
  sendmsg(MASTER, &message, MSG_NOSIGNAL);
}

static void report_born(uint32_t worker) {
  struct {
    uint32_t type, worker;
    int32_t pid, status;
    uint64_t rest[3];
  } born = {.type = 2, .worker = worker, .pid = getpid()};
  send(MASTER, &born, sizeof born, MSG_NOSIGNAL);
}

static void child(uint32_t worker, int stays) {
  pid_t pid = fork();
  if (pid == 0) {
    /* The test sees the end of the template, not of whom it has forked. */
    close(fileno(told));
    close(fileno(orders));
    report_born(worker);
    while (stays) pause();
    _exit(0);
  }
  if (!stays) waitpid(pid, NULL, 0);
  fprintf(told, "pid %d\n", (int)pid);
}

static void take_order(void) {
  uint32_t order[4] = {0};
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {order, sizeof order};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(MASTER, &message, MSG_CMSG_CLOEXEC) <= 0) _exit(0);
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  if (order[0] != ORDER_FORK) {
    if (c) close(*(int *)(void *)CMSG_DATA(c));
    return;
  }
  if (c && channel_count < CHANNELS) memcpy(&channels[channel_count++], CMSG_DATA(c), sizeof(int));
  fprintf(told, "order %u\n", order[1]);
}

static void follow(char *line) {
  static char hex[2 * MOST + 1];
  unsigned n = 0;
  int count = 0;
  if (sscanf(line, "send %131072s", hex) == 1) carry(from_hex(hex), 0);
  else if (sscanf(line, "carry %131072s %d", hex, &count) == 2) carry(from_hex(hex), count);
  else if (sscanf(line, "born %u", &n) == 1) child(n, 1);
  else if (sscanf(line, "flash %u", &n) == 1) child(n, 0);
  else if (!strncmp(line, "reap", 4)) waitpid(-1, NULL, 0);
  else if (sscanf(line, "notes %u %131072s %d", &n, hex, &count) == 3 && n < (unsigned)channel_count) {
    size_t length = from_hex(hex);
    while (count-- > 0) send(channels[n], bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  } else if (sscanf(line, "note %u %131072s", &n, hex) == 2 && n < (unsigned)channel_count)
    send(channels[n], bytes, from_hex(hex), MSG_NOSIGNAL | MSG_DONTWAIT);
  else if (sscanf(line, "hang %u", &n) == 1 && n < (unsigned)channel_count) close(channels[n]);
  fprintf(told, "done\n");
}

int main(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "puppet.sock"};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  static char line[2 * MOST + 64];
  orders = fdopen(dup(fd), "r");
  told = fdopen(fd, "w");
  setvbuf(told, NULL, _IOLBF, 0);
  setvbuf(orders, NULL, _IONBF, 0);
  for (;;) {
    struct pollfd ready[2] = {{.fd = MASTER, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    if (poll(ready, 2, -1) < 0) return 1;
    if (ready[0].revents) take_order();
    if (!ready[1].revents) continue;
    if (!fgets(line, sizeof line, orders)) return 0;
    follow(line);
  }
}
