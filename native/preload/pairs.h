/* FastCGI name-value pairs (specification, section 3.4), read in place. */
#ifndef GUISE_PAIRS_H
#define GUISE_PAIRS_H

#include <stddef.h>
#include <string.h>

struct span {
  const char *at;
  size_t length;
};

/* Reads the pair at *at and moves on. 1: a pair was read; 0: the end; -1: malformed. */
int pair_next(const unsigned char **at, const unsigned char *end, struct span *name, struct span *value);

/* In line, so that the length of a name that stands in the program is no question: they are asked dozens of times a request. */
static inline int span_is(struct span span, const char *text) {
  return span.length == strlen(text) && !memcmp(span.at, text, strlen(text));
}

static inline int span_starts(struct span span, const char *text) {
  size_t n = strlen(text);
  return span.length >= n && !memcmp(span.at, text, n);
}

#endif
