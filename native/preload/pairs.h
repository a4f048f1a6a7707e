/* FastCGI name-value pairs (specification, section 3.4), read in place. */
#ifndef GUISE_PAIRS_H
#define GUISE_PAIRS_H

#include <stddef.h>

struct span {
  const char *at;
  size_t length;
};

/* Reads the pair at *at and moves on. 1: a pair was read; 0: the end; -1: malformed. */
int pair_next(const unsigned char **at, const unsigned char *end, struct span *name, struct span *value);

int span_is(struct span span, const char *text);
int span_starts(struct span span, const char *text);

#endif
