/*
 * The logbook of a worker of the direct lane: memory that it shares with the
 * router, in which it writes down what its requests were and what they cost. So
 * the ledger costs a request no message, and never makes it wait. What stands
 * there is the site's word about itself; src/control/logbook.ts reads it.
 */
#ifndef GUISE_LOGBOOK_H
#define GUISE_LOGBOOK_H

#include <stdint.h>

#include "task.h"

enum { LOGBOOK_BYTES = 64 * 1024, LOGBOOK_RING_AT = 4096, LOGBOOK_RING = LOGBOOK_BYTES - LOGBOOK_RING_AT };
enum { ENTRY_CLIENT, ENTRY_METHOD, ENTRY_HOST, ENTRY_URI, ENTRY_SCRIPT, ENTRY_TEXTS };

/* One request. Its texts follow, one behind the other. */
struct entry {
  uint32_t length;   /* with its texts; a multiple of 8 */
  uint32_t sequence; /* the worker's count of requests */
  uint64_t id;       /* 48 bits; on the page of a refusal too */
  uint64_t started_us; /* CLOCK_MONOTONIC */
  uint64_t ended_us;
  uint64_t user_us;
  uint64_t system_us;
  uint64_t max_rss_kb;
  uint64_t bytes_in;
  uint64_t bytes_out;
  uint32_t status;
  uint32_t reason; /* 0: PHP has answered; else as in direct.h and script.h */
  uint16_t lengths[ENTRY_TEXTS];
  uint16_t reserved[3];
};

enum { ENTRY_ROOM = LOGBOOK_RING_AT - 256 - sizeof(struct entry) };

/* Sums go on where a slot's last worker has ended. */
struct sums {
  uint64_t requests;
  uint64_t refused;
  uint64_t bytes_in;
  uint64_t bytes_out;
  uint64_t cpu_us;
  uint64_t run_us;
  uint64_t max_rss_kb; /* the largest */
  uint64_t left_out;   /* entries that found no room, or whose end nobody has seen */
};

struct logbook {
  struct sums sums;
  uint64_t written; /* bytes of entries that have ever been put into the ring */
  uint32_t begun;   /* the request that `present` is about */
  uint32_t over;    /* the last one that has ended */
  uint64_t reserved[6];
  /* The router's. */
  uint64_t taken;   /* of `written` */
  struct sums counted;
  uint64_t reserved_too[7];
  struct entry present;
  unsigned char texts[ENTRY_ROOM];
  /* Entries that have ended, one behind the other, until they are taken. */
  unsigned char ring[LOGBOOK_RING];
};

/* This worker's own. Of a request that its predecessor has taken along nobody will say more than that it was. */
void logbook_choose(uint32_t slot);

/* A request has been accepted; when that was. */
void logbook_accepted(void);

/* A request is here, as far as it goes. Returns its id. */
uint64_t logbook_begin(const struct task *task);

/* It is over. `reason` as in struct entry. */
void logbook_end(unsigned status, unsigned reason, uint64_t bytes_out);

#endif
