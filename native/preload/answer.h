/*
 * What PHP writes, on its way to the web server. Follows the record framing,
 * so that the end of an answer is known, and holds back a write that ends
 * inside a record (php-cgi writes a large record's header by itself).
 */
#ifndef GUISE_ANSWER_H
#define GUISE_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct answer {
  int fd;            /* the connection to the web server */
  int started;       /* bytes have gone out */
  int ended;         /* END_REQUEST has gone out */
  int peer_gone;     /* writing failed */
  int is_copy;       /* this is a child that the script has forked: nothing of it goes out */
  unsigned status;   /* HTTP status of the answer, 0 before its headers */
  uint64_t bytes;    /* written to the connection */
  void (*on_start)(void); /* called before the first write that does not also end the answer */
};

extern struct answer answer;

void answer_begin(int fd, void (*on_start)(void));

/* write(2) for php-cgi: all of `length`, or -1 with errno. */
ssize_t answer_write(const void *data, size_t length);

#endif
