/*
 * What the library knows about the site it runs in. It is read once from the
 * environment that the master composed, and then erased from it.
 */
#ifndef GUISE_SITE_H
#define GUISE_SITE_H

#include <sys/types.h>

enum { SITE_MAX_OWNERS = 32, SITE_MAX_SUFFIXES = 32 };

/* What a worker of the direct lane decides by itself. */
struct direct {
  const char *keys;     /* those that are accepted, separated by commas; "" if none is asked for */
  uid_t web_uids[SITE_MAX_OWNERS]; /* who may connect */
  int web_uid_count;
  unsigned long long max_body;
  unsigned long read_timeout_ms;
  unsigned max_requests; /* 0: no limit */
  unsigned slots;        /* workers that the shared memory has room for */
  int keeps_lines;       /* the ledger wants to know single requests */
};

struct site {
  const char *name;
  const char *root; /* absolute, as configured; its real path is looked up per request */
  uid_t uid;
  gid_t gid;
  uid_t owners[SITE_MAX_OWNERS]; /* trusted beside the site's own user */
  int owner_count;
  const char *suffixes[SITE_MAX_SUFFIXES]; /* with the dot: ".php" */
  int suffix_count;
  int shares_memory; /* see counters.h */
  unsigned long time_limit_ms; /* of one request */
  const char *error_log; /* where PHP's errors go, or NULL */
  struct direct direct;
};

extern struct site site;

/* Fills `site`; returns 0 when this process was not started by guise. */
int site_from_environment(void);

/*
 * PHP's locked settings hold for the top directory that the root is written
 * with (src/master/php-command.ts). A script that is named by another way to
 * the same file, through a symbolic link, is named by the root instead:
 * `below_root` is the rest of its real path. Returns 0 when that is too long.
 */
int site_name_script(char *path, size_t size, const char *below_root);

/* Takes guise's variables and LD_PRELOAD out of the environment, values overwritten. */
void site_erase_environment(void);

#endif
