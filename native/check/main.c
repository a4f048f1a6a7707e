/*
 * guise-script-check: the script check of the library (preload/script.c), made
 * dry for `guise explain` and told step by step. Privilege: the site's user,
 * as the launcher made it; the environment is that of a template.
 *
 * Writes to descriptor 1, each record ended by a NUL:
 *   step REASON PATH      before each step: its reason to refuse, the path looked at
 *   denied PATH           where the way to the script may not be entered
 *   verdict REASON FOUND  the last one; 0: the script runs
 *   info PATH_INFO
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../preload/script.h"
#include "../preload/site.h"

static void end_record(void) { putchar(0); }

void script_step(enum script_reason reason, const char *path) {
  printf("step %d %s", reason, path);
  end_record();
}

/* The kernel says only that something on the way is closed; a person needs to know what. */
static void tell_denied(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    int is_closed = access(path, X_OK) < 0 && errno == EACCES;
    if (is_closed) printf("denied %s", path);
    *slash = '/';
    if (is_closed) {
      end_record();
      return;
    }
  }
}

int main(int argc, char **argv) {
  /* Whose name this runs under may not change what it says. */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (argc != 2 || !site_from_environment()) {
    fputs("guise-script-check is started by guise explain\n", stderr);
    return 2;
  }
  char path[PATH_MAX] = "", info[PATH_MAX] = "";
  struct verdict v = script_find(argv[1], strlen(argv[1]), path, sizeof path, info, sizeof info);
  if (v.reason == SCRIPT_UNREADABLE) tell_denied(path);
  if (v.reason == SCRIPT_OK) {
    printf("info %s", info);
    end_record();
  }
  printf("verdict %d %u", v.reason, v.found);
  end_record();
  return fflush(stdout) == 0 ? 0 : 1;
}
