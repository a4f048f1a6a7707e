/*
 * Memory that all workers of a site share with somebody: plain counters for each
 * worker of the direct lane, which the master reads, and behind them a logbook for
 * each, which the router reads (logbook.h); or a slate for each of the routed lane,
 * which the router reads (protocol.h). They take them for gossip: nothing there
 * decides about anything but this site's own workers.
 */
#ifndef GUISE_COUNTERS_H
#define GUISE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

enum { GUISE_COUNTERS_FD = 4 };

/* src/control/direct-counters.ts is the other side. Counts go on where a slot's last worker ended. */
struct counters {
  uint64_t busy_since_ms; /* CLOCK_MONOTONIC; 0: idle */
  uint64_t served;
  uint64_t refused;
  uint64_t bytes_out;
  uint32_t last_refusal; /* enum script_reason, or those of direct.h */
  uint32_t reserved_too;
  uint64_t last_end_ms; /* CLOCK_MONOTONIC */
  uint64_t reserved[2];
};

/* Maps the memory of all workers; called once, in the template. */
void shared_map(void);

/* The place of `slot` where each has so many bytes; NULL where there is none. */
void *shared_slot(uint32_t slot, size_t bytes);

/* This worker's own; a private dummy where there are none. */
extern struct counters *counters;
void counters_choose(uint32_t slot);

/* This worker's logbook, behind the counters of all; NULL where there is none. */
struct logbook *shared_logbook(uint32_t slot);

uint64_t now_ms(void);
uint64_t now_us(void);

#endif
