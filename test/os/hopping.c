/*
 * A subreaper with a chain of forks below it: each process of the chain lives as long as a fork takes. It collects the
 * dead at once, and ends when nothing is below it any more. The chain ends by itself after so many forks as are asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **argument) {
  long forks = count > 1 ? atol(argument[1]) : 0;
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (fork() == 0) {
    while (forks-- > 0) {
      if (fork() != 0) _exit(0);
    }
    _exit(0);
  }
  while (wait(NULL) > 0 || errno == EINTR)
    ;
  return 0;
}
