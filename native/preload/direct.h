/* Ends of the direct lane beside those of script.h; src/control/direct-counters.ts has the same numbers. */
#ifndef GUISE_DIRECT_H
#define GUISE_DIRECT_H

enum direct_refusal {
  DIRECT_NO_KEY = 100,
  DIRECT_WRONG_KEY = 101,
  DIRECT_STRANGER = 102, /* the peer is not the web server: no answer */
  DIRECT_VISITOR_LEFT = 103, /* the answer could not be written */
  DIRECT_CUT = 104,          /* the answer has no end */
  DIRECT_INTAKE = 110    /* + enum intake_result */
};

#endif
