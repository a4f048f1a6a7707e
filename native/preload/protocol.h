/*
 * What the library says to the master and to the router, and hears from them.
 * Every message is one SOCK_SEQPACKET datagram that starts with one of these
 * structures. Sizes are fixed, bytes are in the machine's own order, members
 * are naturally aligned. src/control/worker-messages.ts and
 * src/control/template-messages.ts are the other side; a test compares sizes.
 */
#ifndef GUISE_PROTOCOL_H
#define GUISE_PROTOCOL_H

#include <stdint.h>

/* The template's descriptors, set up by the master's launcher. */
enum { GUISE_LISTEN_FD = 0, GUISE_MASTER_FD = 3 };

/* master -> template */
enum order_type {
  ORDER_FORK = 1,
  ORDER_LIST = 2, /* SCM_RIGHTS: the list of the template's children (tree.h) */
  ORDER_CLOSE = 3 /* no further request is to be taken: connections that are kept end */
};
enum { ORDER_ONE_JOB = 1, ORDER_DIRECT = 2 };
struct order {
  uint32_t type;
  uint32_t worker; /* the master's number for the worker to be forked */
  uint32_t flags;
  uint32_t slot; /* ORDER_DIRECT: which counters are the worker's */
}; /* SCM_RIGHTS: the worker's end of its job channel; none with ORDER_DIRECT */

/* template -> master */
enum report_type {
  REPORT_READY = 1,  /* PHP is initialised, orders may come */
  REPORT_BORN = 2,   /* sent by the worker itself: the kernel vouches for its pid */
  REPORT_EXITED = 3, /* status is that of waitpid(2) */
  REPORT_FAILED = 4, /* fork failed, status is the errno */
  REPORT_WAITING = 5 /* on a kept connection of the direct lane something has come, and there is no worker */
};
struct report {
  uint32_t type;
  uint32_t worker;
  int32_t pid;
  int32_t status;
  uint64_t user_us;   /* with REPORT_BORN: where PHP's globals lie (engine.h) */
  uint64_t system_us; /* with REPORT_BORN: the version of PHP's engine */
  uint64_t max_rss_kb;
};

/* router -> worker: this header, the parameters as received, the body if it is inline */
enum { JOB_MAGIC = 0x424f4a47 };
enum {
  JOB_KEEP = 1,      /* the connection stays open for another request */
  JOB_BODY_FILE = 2, /* the body is in the second descriptor, at offset 0 */
  JOB_OWES_END = 4   /* there is no body, and its end is to be read after the answer */
};
struct job {
  uint32_t magic;
  uint32_t sequence; /* the router's number for this job */
  uint16_t request_id;
  uint16_t flags;
  uint32_t params_length;
  uint64_t body_length;
}; /* SCM_RIGHTS: the connection, then the body file */

enum { JOB_MAX = 256 * 1024 };

/* worker -> router */
enum note_type {
  NOTE_STARTED = 1, /* a part of an answer is about to be written */
  NOTE_DONE = 2,    /* the job is over, the next may come */
  NOTE_REFUSED = 3  /* the script must not run: nothing was written, the next may come */
};
enum {
  NOTE_COMPLETE = 1,  /* END_REQUEST was written */
  NOTE_PEER_GONE = 2, /* writing failed: the visitor has left */
  NOTE_LAST = 4       /* the worker ends now: something that the script started still runs */
};
struct note {
  uint32_t type;
  uint32_t sequence;
  uint32_t flags;
  uint32_t status; /* HTTP status, or for NOTE_REFUSED the reason (script.h) */
  uint64_t bytes_out;
  uint64_t user_us;
  uint64_t system_us;
  uint64_t max_rss_kb;
  uint32_t found; /* for NOTE_REFUSED: a uid, a gid or a mode, as the reason says */
  uint32_t reserved;
  uint64_t ended_us; /* CLOCK_MONOTONIC */
};

/*
 * In memory that a pool worker shares with the router, so that most jobs end
 * without a message. The worker writes down how its job went, `over` last; only
 * where the router has put the job's number into `wanted` it sends the note as
 * well. Each side writes first and reads the other's word then, so that one of
 * them always sees it.
 */
struct slate {
  struct note note;
  uint32_t started; /* the job whose answer has begun */
  uint32_t over;    /* the job that `note` is about */
  uint32_t reserved[14];
  /* The router's, in a cache line of their own. */
  uint32_t wanted;
  uint32_t followed; /* not 0: it looks here; before that, notes are sent */
  uint32_t reserved_too[30];
};

#endif
