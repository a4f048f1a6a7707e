/*
 * Tries one thing and prints the error number, 0 for success:
 *   reaching OPERATION ARGUMENT [ARGUMENT]
 * Each operation is one system call (or open), so that the number is the kernel's own word.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int opened(const char *path, int flags) { return open(path, flags | O_CLOEXEC, 0666) < 0 ? errno : 0; }

static int done(int result) { return result < 0 ? errno : 0; }

/* Asks a terminal multiplexer for a terminal's number, ioctl_tty(2). */
static int controlled(const char *path) {
  unsigned number;
  int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return fd < 0 ? errno : done(ioctl(fd, TIOCGPTN, &number));
}

static int executed(const char *path) {
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    execl(path, path, (char *)NULL);
    _exit(errno);
  }
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int bound(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return done(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
}

/* A name without a path, unix(7): it starts with a NUL, and all bytes of the address are the name. */
static int connected_abstract(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  return done(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
}

/* Stays, and says so. */
static int listening_abstract(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0) return errno;
  puts("listening");
  fflush(stdout);
  for (;;) pause();
}

static int killed_own_child(void) {
  pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  int error = done(kill(pid, SIGKILL));
  if (!error) waitpid(pid, NULL, 0);
  return error;
}

static int attempt(const char *operation, const char *one, const char *two) {
  if (!strcmp(operation, "read")) return opened(one, O_RDONLY);
  if (!strcmp(operation, "list")) return opened(one, O_RDONLY | O_DIRECTORY);
  if (!strcmp(operation, "write")) return opened(one, O_WRONLY);
  if (!strcmp(operation, "make")) return opened(one, O_WRONLY | O_CREAT | O_EXCL);
  if (!strcmp(operation, "nameless")) return opened(one, O_TMPFILE | O_RDWR);
  if (!strcmp(operation, "truncate")) return done(truncate(one, 0));
  if (!strcmp(operation, "control")) return controlled(one);
  if (!strcmp(operation, "execute")) return executed(one);
  if (!strcmp(operation, "mkdir")) return done(mkdir(one, 0777));
  if (!strcmp(operation, "mkfifo")) return done(mkfifo(one, 0666));
  if (!strcmp(operation, "device")) return done(mknod(one, S_IFCHR | 0666, 0));
  if (!strcmp(operation, "bind")) return bound(one);
  if (!strcmp(operation, "unlink")) return done(unlink(one));
  if (!strcmp(operation, "rmdir")) return done(rmdir(one));
  if (!strcmp(operation, "symlink")) return done(symlink("anywhere", one));
  if (!strcmp(operation, "rename")) return done(rename(one, two));
  if (!strcmp(operation, "link")) return done(link(one, two));
  if (!strcmp(operation, "connect-abstract")) return connected_abstract(one);
  if (!strcmp(operation, "listen-abstract")) return listening_abstract(one);
  if (!strcmp(operation, "signal")) return done(kill(atoi(one), 0));
  if (!strcmp(operation, "signal-own-child")) return killed_own_child();
  if (!strcmp(operation, "trace")) return done((int)ptrace(PTRACE_SEIZE, atoi(one), 0, 0));
  return 254;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  umask(0);
  printf("%d\n", attempt(argv[1], argv[2], argc > 3 ? argv[3] : ""));
  return 0;
}
