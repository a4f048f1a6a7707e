#define _GNU_SOURCE
#include "logbook.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "counters.h"
#include "pairs.h"
#include "site.h"

enum { CPU_PERIOD_US = 100000 };

static const uint64_t id_mask = ((uint64_t)1 << 48) - 1;
/* Bytes; more is cut. */
static const size_t text_max[ENTRY_TEXTS] = {
    [ENTRY_CLIENT] = 64, [ENTRY_METHOD] = 32, [ENTRY_HOST] = 255, [ENTRY_URI] = 2048, [ENTRY_SCRIPT] = 1024};

static struct logbook *book;
static uint64_t id_start, id_factor, accepted_us, cpu_seen_us;
static struct rusage usage_before;

static uint64_t microseconds(struct timeval after, struct timeval before) {
  return (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 + after.tv_usec - before.tv_usec);
}

/* One that was killed has told nothing of its last request: it counts, and its line is missing. */
static void settle_predecessor(void) {
  if (book->begun == book->over) return;
  book->sums.requests++;
  book->sums.refused++;
  book->sums.left_out++;
  book->over = book->begun;
}

void logbook_choose(uint32_t slot) {
  uint64_t random[2] = {0, 0};
  book = shared_logbook(slot);
  if (!book) return;
  settle_predecessor();
  /* Names and no secrets: without random numbers they are told apart by the worker's memory alone. */
  if (getrandom(random, sizeof random, GRND_NONBLOCK) < 0) random[0] = (uint64_t)(uintptr_t)&random ^ now_us();
  id_start = random[0];
  id_factor = random[1] | 1;
  getrusage(RUSAGE_SELF, &usage_before);
}

void logbook_accepted(void) { accepted_us = now_us(); }

static int which_text(struct span name) {
  if (span_is(name, "REMOTE_ADDR")) return ENTRY_CLIENT;
  if (span_is(name, "REQUEST_METHOD")) return ENTRY_METHOD;
  if (span_is(name, "SERVER_NAME")) return ENTRY_HOST;
  if (span_is(name, "REQUEST_URI")) return ENTRY_URI;
  return span_is(name, "SCRIPT_FILENAME") ? ENTRY_SCRIPT : -1;
}

static void note_texts(struct entry *entry, const struct task *task) {
  const unsigned char *at = task->params, *end = at + task->params_length;
  struct span name, value, found[ENTRY_TEXTS] = {{NULL, 0}};
  while (at && pair_next(&at, end, &name, &value) > 0) {
    int which = which_text(name);
    if (which >= 0) found[which] = value;
  }
  unsigned char *out = (unsigned char *)(entry + 1);
  for (int i = 0; i < ENTRY_TEXTS; i++) {
    size_t n = found[i].length < text_max[i] ? found[i].length : text_max[i];
    if (n) memcpy(out, found[i].at, n);
    entry->lengths[i] = (uint16_t)n;
    out += n;
  }
  size_t length = (size_t)(out - (unsigned char *)entry);
  while (length % 8) ((unsigned char *)entry)[length++] = 0;
  entry->length = (uint32_t)length;
}

/* Scrambled, so that a visitor who sees two of them does not learn how many there were in between. */
uint64_t logbook_begin(const struct task *task) {
  if (!book) return 0;
  struct entry *entry = &book->present;
  uint32_t sequence = book->begun + 1;
  *entry = (struct entry){.sequence = sequence,
                          .id = (id_start + sequence * id_factor) & id_mask,
                          .started_us = accepted_us,
                          .bytes_in = task->params_length + task->body_length};
  note_texts(entry, task);
  atomic_store((_Atomic uint32_t *)&book->begun, sequence);
  return entry->id;
}

/*
 * The one system call that the ledger costs a request. A site without lines needs
 * no more than sums: there it is asked now and then.
 */
static void note_processor_time(struct entry *entry) {
  struct rusage usage;
  if (!site.direct.keeps_lines && entry->ended_us - cpu_seen_us < CPU_PERIOD_US) return;
  cpu_seen_us = entry->ended_us;
  getrusage(RUSAGE_SELF, &usage);
  entry->user_us = microseconds(usage.ru_utime, usage_before.ru_utime);
  entry->system_us = microseconds(usage.ru_stime, usage_before.ru_stime);
  entry->max_rss_kb = (uint64_t)usage.ru_maxrss;
  usage_before = usage;
}

static void add_up(const struct entry *entry) {
  struct sums *sums = &book->sums;
  sums->requests++;
  if (entry->reason) sums->refused++;
  sums->bytes_in += entry->bytes_in;
  sums->bytes_out += entry->bytes_out;
  sums->cpu_us += entry->user_us + entry->system_us;
  sums->run_us += entry->ended_us - entry->started_us;
  if (entry->max_rss_kb > sums->max_rss_kb) sums->max_rss_kb = entry->max_rss_kb;
}

/* Where the router is behind, lines are missing; nobody waits. */
static void put(const struct entry *entry) {
  uint64_t written = book->written, taken = atomic_load((_Atomic uint64_t *)&book->taken);
  if (written - taken + entry->length > LOGBOOK_RING) {
    book->sums.left_out++;
    return;
  }
  size_t at = (size_t)(written % LOGBOOK_RING), first = LOGBOOK_RING - at;
  if (first > entry->length) first = entry->length;
  memcpy(book->ring + at, entry, first);
  memcpy(book->ring, (const unsigned char *)entry + first, entry->length - first);
  atomic_store((_Atomic uint64_t *)&book->written, written + entry->length);
}

void logbook_end(unsigned status, unsigned reason, uint64_t bytes_out) {
  if (!book) return;
  struct entry *entry = &book->present;
  entry->ended_us = now_us();
  entry->status = status;
  entry->reason = reason;
  entry->bytes_out = bytes_out;
  note_processor_time(entry);
  add_up(entry);
  if (site.direct.keeps_lines) put(entry);
  atomic_store((_Atomic uint32_t *)&book->over, entry->sequence);
}
