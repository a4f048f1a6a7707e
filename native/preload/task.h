/* One request, complete, however it came here. */
#ifndef GUISE_TASK_H
#define GUISE_TASK_H

#include <stddef.h>
#include <stdint.h>

struct task {
  int connection; /* to answer on */
  int request_id;
  const unsigned char *params; /* name-value pairs as the web server sent them */
  size_t params_length;
  const unsigned char *body; /* where body_file is -1 */
  int body_file;             /* the body from offset 0, or -1 */
  uint64_t body_length;
};

#endif
