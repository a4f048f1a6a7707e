/*
 * Which file a request means, and whether it may run. All of it happens as the
 * site's user, just before PHP sees the request, so that it sees what PHP will
 * see. The reasons are shown to people by src/router/refusal-texts.ts; native/check
 * makes the same check dry, for `guise explain`.
 */
#ifndef GUISE_SCRIPT_H
#define GUISE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

enum script_reason {
  SCRIPT_OK = 0,
  SCRIPT_NOT_NAMED = 1,    /* no SCRIPT_FILENAME */
  SCRIPT_BAD_PATH = 2,     /* not absolute, too long, or with control bytes */
  SCRIPT_NOT_FOUND = 3,    /* found: errno */
  SCRIPT_OUTSIDE_ROOT = 4, /* its real path is not beneath the site's root */
  SCRIPT_NOT_REGULAR = 5,  /* found: st_mode */
  SCRIPT_SUFFIX = 6,       /* the final file has no allowed suffix */
  SCRIPT_OWNER = 7,        /* found: st_uid */
  SCRIPT_WRITABLE = 8,     /* found: st_mode */
  SCRIPT_SETID = 9,        /* found: st_mode */
  SCRIPT_UNREADABLE = 10,  /* found: errno */
  SCRIPT_DIR_OWNER = 11,   /* found: st_uid */
  SCRIPT_DIR_WRITABLE = 12, /* found: st_mode */
  SCRIPT_NO_ROOT = 13,     /* found: errno */
  SCRIPT_BAD_PARAMS = 14   /* the parameters are malformed or do not fit */
};

struct verdict {
  enum script_reason reason;
  uint32_t found;
};

/*
 * Told before each step, in its order, what would be the reason to refuse and
 * which path is looked at. The library is compiled without it: a request costs
 * nothing for it.
 */
#ifdef SCRIPT_TRACE
void script_step(enum script_reason reason, const char *path);
#else
static inline void script_step(enum script_reason reason, const char *path) {
  (void)reason;
  (void)path;
}
#endif

/*
 * Copies a path of a URL with its escapes decoded, once, and a NUL behind it.
 * Returns 0 when there is none, when one means NUL, or when `out` is too small:
 * then `out` means nothing.
 */
int script_decode(const char *in, size_t length, char *out, size_t size);

/*
 * Finds the script that `name` means. `name` is SCRIPT_FILENAME as received:
 * a "proxy:fcgi://host[:port]/" prefix is removed, the longest leading part
 * that is not a directory becomes `path` (cleaned, NUL-terminated), the rest
 * becomes `path_info` ("" if none). Then every check is made on it.
 */
struct verdict script_find(const char *name, size_t length, char *path, size_t size, char *path_info,
                           size_t path_info_size);

#endif
