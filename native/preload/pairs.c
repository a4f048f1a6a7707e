#define _GNU_SOURCE
#include "pairs.h"

static int get_length(const unsigned char **at, const unsigned char *end, size_t *n) {
  if (*at >= end) return 0;
  if (**at < 128) {
    *n = *(*at)++;
    return 1;
  }
  if (end - *at < 4) return 0;
  *n = ((size_t)((*at)[0] & 0x7f) << 24) | ((size_t)(*at)[1] << 16) | ((size_t)(*at)[2] << 8) | (*at)[3];
  *at += 4;
  return 1;
}

int pair_next(const unsigned char **at, const unsigned char *end, struct span *name, struct span *value) {
  if (*at == end) return 0;
  if (!get_length(at, end, &name->length) || !get_length(at, end, &value->length)) return -1;
  if (name->length > (size_t)(end - *at) || value->length > (size_t)(end - *at) - name->length) return -1;
  name->at = (const char *)*at;
  value->at = name->at + name->length;
  *at += name->length + value->length;
  return 1;
}
