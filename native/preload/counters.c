#define _GNU_SOURCE
#include "counters.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "logbook.h"
#include "site.h"

static struct counters dummy;
static unsigned char *all;
static size_t all_bytes;
struct counters *counters = &dummy;

void shared_map(void) {
  struct stat st;
  /* Without it, descriptor 4 is some file of PHP's. */
  if (!site.shares_memory) return;
  if (fstat(GUISE_COUNTERS_FD, &st) < 0 || st.st_size <= 0) return;
  void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, GUISE_COUNTERS_FD, 0);
  syscall(SYS_close, GUISE_COUNTERS_FD);
  if (map == MAP_FAILED) return;
  all = map;
  all_bytes = (size_t)st.st_size;
}

void *shared_slot(uint32_t slot, size_t bytes) {
  return all && slot < all_bytes / bytes ? all + slot * bytes : NULL;
}

/* As src/control/logbook.ts says. */
struct logbook *shared_logbook(uint32_t slot) {
  size_t count = site.direct.slots, at = (count * sizeof(struct counters) + 4095) / 4096 * 4096;
  if (!all || slot >= count || all_bytes < at + count * sizeof(struct logbook)) return NULL;
  return (struct logbook *)(all + at) + slot;
}

void counters_choose(uint32_t slot) {
  struct counters *own = shared_slot(slot, sizeof *own);
  if (own) counters = own;
  counters->busy_since_ms = 0;
}

/* The coarse clock costs no system call; its steps of a few milliseconds are fine enough here. */
uint64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}
