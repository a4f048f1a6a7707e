#define _GNU_SOURCE
#include "title.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static char *area;
static size_t area_size;

/* The kernel lays the argument strings out one behind the other. */
void title_init(int argc, char **argv) {
  if (argc < 1 || !argv[0]) return;
  area = argv[0];
  char *end = argv[0];
  for (int i = 0; i < argc && argv[i] == end; i++) end = argv[i] + strlen(argv[i]) + 1;
  area_size = (size_t)(end - area);
}

void title_set(const char *role, const char *site_name) {
  char comm[16];
  snprintf(comm, sizeof comm, "guise-%s", role);
  prctl(PR_SET_NAME, comm);
  if (area_size < 2) return;
  memset(area, 0, area_size);
  snprintf(area, area_size, "guise: %s %s", role, site_name);
}
