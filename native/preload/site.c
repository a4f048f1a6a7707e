#define _GNU_SOURCE
#include "site.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct site site;

extern char **environ;

static void read_owners(const char *list) {
  while (list && *list && site.owner_count < SITE_MAX_OWNERS) {
    char *end;
    unsigned long uid = strtoul(list, &end, 10);
    if (end == list) return;
    site.owners[site.owner_count++] = (uid_t)uid;
    list = *end ? end + 1 : end;
  }
}

static void read_suffixes(char *list) {
  char *save = NULL;
  for (char *s = strtok_r(list, ":", &save); s; s = strtok_r(NULL, ":", &save))
    if (site.suffix_count < SITE_MAX_SUFFIXES) site.suffixes[site.suffix_count++] = s;
}

int site_from_environment(void) {
  const char *name = getenv("GUISE_SITE"), *root = getenv("GUISE_ROOT");
  const char *suffixes = getenv("GUISE_SUFFIXES");
  if (!name || !root || !suffixes) return 0;
  site.name = strdup(name);
  site.root = strdup(root);
  site.uid = getuid();
  site.gid = getgid();
  read_owners(getenv("GUISE_OWNERS"));
  char *copy = strdup(suffixes);
  if (!site.name || !site.root || !copy) return 0;
  read_suffixes(copy);
  return 1;
}

/* /proc/PID/environ shows the original strings, so they are overwritten and not only unlinked. */
static void erase(const char *name) {
  char *value = getenv(name);
  if (!value) return;
  unsetenv(name);
  size_t before = strlen(name) + 1;
  memset(value - before, 0, before + strlen(value));
}

void site_erase_environment(void) {
  static const char *const names[] = {"LD_PRELOAD", "GUISE_SITE", "GUISE_ROOT", "GUISE_OWNERS", "GUISE_SUFFIXES"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) erase(names[i]);
}
