#define _GNU_SOURCE
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct site site;

extern char **environ;

/* "1000,0": returns how many there were. */
static int read_uids(const char *list, uid_t *uids) {
  int count = 0;
  while (list && *list && count < SITE_MAX_OWNERS) {
    char *end;
    unsigned long uid = strtoul(list, &end, 10);
    if (end == list) break;
    uids[count++] = (uid_t)uid;
    list = *end ? end + 1 : end;
  }
  return count;
}

static unsigned long long number(const char *name) {
  const char *value = getenv(name);
  return value ? strtoull(value, NULL, 10) : 0;
}

static int read_direct(void) {
  const char *keys = getenv("GUISE_KEYS");
  struct direct *direct = &site.direct;
  direct->keys = strdup(keys ? keys : "");
  direct->web_uid_count = read_uids(getenv("GUISE_WEB_UIDS"), direct->web_uids);
  direct->max_body = number("GUISE_MAX_BODY");
  direct->read_timeout_ms = (unsigned long)number("GUISE_READ_TIMEOUT");
  direct->max_requests = (unsigned)number("GUISE_MAX_REQUESTS");
  direct->slots = (unsigned)number("GUISE_SLOTS");
  direct->keeps_lines = getenv("GUISE_LINES") != NULL;
  return direct->keys != NULL;
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
  site.shares_memory = getenv("GUISE_SHARED") != NULL;
  site.owner_count = read_uids(getenv("GUISE_OWNERS"), site.owners);
  char *copy = strdup(suffixes);
  const char *error_log = getenv("GUISE_ERROR_LOG");
  site.error_log = error_log ? strdup(error_log) : NULL;
  if (!site.name || !site.root || !copy) return 0;
  read_suffixes(copy);
  site.time_limit_ms = (unsigned long)number("GUISE_TIME_LIMIT");
  return read_direct();
}

static size_t first_component(const char *path) { return strcspn(path + 1, "/") + 1; }

int site_name_script(char *path, size_t size, const char *below_root) {
  size_t n = first_component(site.root);
  if (first_component(path) == n && !memcmp(path, site.root, n)) return 1;
  int written = snprintf(path, size, "%s%s", site.root, below_root);
  return written > 0 && (size_t)written < size;
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
  static const char *const names[] = {"LD_PRELOAD", "GUISE_SITE", "GUISE_ROOT", "GUISE_OWNERS", "GUISE_SUFFIXES", "GUISE_SHARED", "GUISE_TIME_LIMIT", "GUISE_KEYS",
                                      "GUISE_WEB_UIDS", "GUISE_MAX_BODY", "GUISE_READ_TIMEOUT", "GUISE_MAX_REQUESTS", "GUISE_SLOTS", "GUISE_LINES", "GUISE_ERROR_LOG"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) erase(names[i]);
}
