/*
 * Stands in the place of a template and lies: compiled and started by site-runtime.test.ts. MODE says how.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MASTER = 3, FORK = 1, READY = 1, BORN = 2, EXITED = 3, FAILED = 4 };

struct order {
  uint32_t type, worker, flags, slot;
};
struct report {
  uint32_t type, worker;
  int32_t pid, status;
  uint64_t user_us, system_us, max_rss_kb;
};

static void say(uint32_t type, uint32_t worker) {
  struct report report = {.type = type, .worker = worker, .status = 12};
  if (send(MASTER, &report, sizeof report, MSG_NOSIGNAL) < 0) _exit(1);
}

static uint32_t next_order(void) {
  struct order order;
  do {
    if (recv(MASTER, &order, sizeof order, 0) != sizeof order) _exit(0);
  } while (order.type != FORK);
  return order.worker;
}

/* A worker that is one process for as many orders as it is told. Returns when it has been announced. */
static void be_born(uint32_t first, uint32_t second) {
  int announced[2];
  char byte;
  if (pipe(announced)) _exit(1);
  if (fork()) {
    close(announced[1]);
    if (read(announced[0], &byte, 1) != 0) _exit(1);
    close(announced[0]);
    return;
  }
  say(BORN, first);
  if (second) say(BORN, second);
  close(MASTER);
  close(announced[0]);
  close(announced[1]);
  for (;;) pause();
}

int main(void) {
  const char *mode = getenv("MODE");
  if (!mode || !strcmp(mode, "exit")) return 0;
  if (!strcmp(mode, "die")) raise(SIGKILL);
  signal(SIGCHLD, SIG_IGN);
  say(READY, 0);
  uint32_t first = next_order();
  if (!strcmp(mode, "double")) {
    be_born(first, next_order());
  } else {
    be_born(first, 0);
    if (!strcmp(mode, "failed")) say(FAILED, first);
    if (!strcmp(mode, "exited")) say(EXITED, first);
  }
  for (;;) be_born(next_order(), 0);
}
