/* Refusals of the direct lane beside those of script.h; src/router/refusals.ts has the same numbers. */
#ifndef GUISE_DIRECT_H
#define GUISE_DIRECT_H

enum direct_refusal {
  DIRECT_NO_KEY = 100,
  DIRECT_WRONG_KEY = 101,
  DIRECT_STRANGER = 102, /* the peer is not the web server: no answer */
  DIRECT_INTAKE = 110    /* + enum intake_result */
};

#endif
