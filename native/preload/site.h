/*
 * What the library knows about the site it runs in. It is read once from the
 * environment that the master composed, and then erased from it.
 */
#ifndef GUISE_SITE_H
#define GUISE_SITE_H

#include <sys/types.h>

enum { SITE_MAX_OWNERS = 16, SITE_MAX_SUFFIXES = 16 };

struct site {
  const char *name;
  const char *root; /* absolute, as configured; its real path is looked up per request */
  uid_t uid;
  gid_t gid;
  uid_t owners[SITE_MAX_OWNERS]; /* trusted beside the site's own user */
  int owner_count;
  const char *suffixes[SITE_MAX_SUFFIXES]; /* with the dot: ".php" */
  int suffix_count;
};

extern struct site site;

/* Fills `site`; returns 0 when this process was not started by guise. */
int site_from_environment(void);

/* Takes guise's variables and LD_PRELOAD out of the environment, values overwritten. */
void site_erase_environment(void);

#endif
