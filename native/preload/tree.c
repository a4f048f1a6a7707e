#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int list = -1;

void tree_hold(void) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) _exit(1);
}

int tree_reap(void) {
  pid_t pid;
  do pid = waitpid(-1, NULL, WNOHANG | __WALL);
  while (pid > 0 || (pid < 0 && errno == EINTR));
  return pid == 0;
}

void tree_list(int fd) {
  tree_forget_list();
  list = fd;
}

void tree_forget_list(void) {
  if (list >= 0) syscall(SYS_close, list);
  list = -1;
}

/*
 * A child keeps its number until it has been waited for, so nobody else is
 * reached. Returns how many got the signal: a setuid program's are its own.
 */
static int kill_listed(void) {
  static char text[64 * 1024];
  int killed = 0;
  ssize_t length = list < 0 ? 0 : pread(list, text, sizeof text - 1, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  for (char *at = text, *end; *at; at = end) {
    long pid = strtol(at, &end, 10);
    if (end == at) break;
    /* The last number may have been cut short by the end of the buffer. */
    if (pid > 1 && *end == ' ' && kill((pid_t)pid, SIGKILL) == 0) killed++;
    while (*end == ' ') end++;
  }
  return killed;
}

/* Each death makes the children of the dead ours. */
void tree_end(void) {
  while (tree_reap() && kill_listed() > 0) {
    struct timespec moment = {.tv_nsec = 200 * 1000};
    nanosleep(&moment, NULL);
  }
}
