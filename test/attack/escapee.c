/*
 * A program that a script starts and that tries to live longer than it may. How, says its first argument:
 *
 *   session   in a session of its own
 *   twice     forked twice, so that nobody it knows is its parent
 *   reaper    below a subreaper of its own, in a session of its own
 *   killer    after it has killed the worker
 *   orphan    after it has killed the worker and the template
 *   sibling   as a child of its parent's parent, again and again (CLONE_PARENT)
 *   hop       by forking as fast as it can, each process living as long as a fork takes
 *   leader    as a process whose first thread has ended
 */
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void stay(void) {
  for (;;) pause();
}

static void *thread(void *argument) {
  stay();
  return argument;
}

/* Ends the calling process in favour of a child of it. */
static void become_child(void) {
  if (fork() > 0) _exit(0);
}

static void hop(void) {
  for (;;) {
    pid_t pid = fork();
    if (pid > 0) _exit(0);
    if (pid < 0) usleep(100);
  }
}

static void be_siblings(void) {
  for (;;) {
    long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid > 0) _exit(0);
    setsid();
    usleep(1000);
  }
}

int main(int count, char **argument) {
  const char *how = count > 1 ? argument[1] : "";
  if (!strcmp(how, "session")) {
    become_child();
    setsid();
  } else if (!strcmp(how, "twice")) {
    become_child();
    setsid();
    become_child();
  } else if (!strcmp(how, "reaper")) {
    become_child();
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (fork() == 0) {
      become_child();
      setsid();
    }
  } else if (!strcmp(how, "killer") || !strcmp(how, "orphan")) {
    become_child();
    setsid();
    for (int i = 2; i < count; i++) kill((pid_t)atoi(argument[i]), SIGKILL);
  } else if (!strcmp(how, "sibling")) {
    become_child();
    be_siblings();
  } else if (!strcmp(how, "hop")) {
    hop();
  } else if (!strcmp(how, "leader")) {
    pthread_t other;
    become_child();
    pthread_create(&other, NULL, thread, NULL);
    pthread_exit(NULL);
  }
  stay();
}
