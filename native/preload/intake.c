#define _GNU_SOURCE
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pairs.h"
#include "rewrite.h"

enum { FCGI_ABORT_REQUEST = 2, FCGI_GET_VALUES = 9, FCGI_GET_VALUES_RESULT = 10, FCGI_UNKNOWN_TYPE = 11 };
enum { RECORD_MAX = FCGI_HEADER + 65535 + 255, PARAMS_MAX = 128 * 1024, DRAIN_MAX = 16 * 1024 * 1024 };
enum { BODY_MEMORY = 4 * 1024 * 1024, BODY_RESIDENT = 1024 * 1024, REPLIES_MAX = 16, DRAIN_MS = 1000 };

static unsigned char wire[2 * RECORD_MAX];
static size_t wire_at, wire_end;
static unsigned char params[PARAMS_MAX];

/*
 * Not in a memfd as in the router, which has to hand the body over: to write there and read again copies twice. Pages
 * that have been used stay, up to BODY_RESIDENT.
 */
static unsigned char memory[BODY_MEMORY] __attribute__((aligned(4096)));

/* What the parameters say of the body. */
struct announcement {
  int is_known;
  int64_t length;  /* CONTENT_LENGTH; -1 when it says nothing, or a Transfer-Encoding overrules it */
  int is_bodiless; /* there is none: RFC 9112, section 6.3, and a method that gives it no meaning */
};

/* What one request has come to so far. */
static struct {
  int connection;
  int id; /* 0: not begun */
  int role;
  int keeps;   /* the web server keeps the connection */
  int is_kept; /* it did before this request */
  int params_ended, body_ended, aborted;
  int is_broken; /* the peer has broken the rules */
  struct announcement announced;
  int is_owed; /* the end of the body, which was not waited for */
  size_t params_length;
  uint64_t body_length;
  int file;        /* -1 while the body is in memory */
  uint64_t max_body;
  uint64_t drained;
  int replies;
  enum intake_result refusal; /* INTAKE_COMPLETE: none yet */
} state = {.file = -1};

static ssize_t write_file(int fd, const unsigned char *data, size_t length, uint64_t at) {
  size_t done = 0;
  while (done < length) {
    ssize_t n = pwrite(fd, data + done, length - done, (off_t)(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    done += (size_t)n;
  }
  return (ssize_t)length;
}

static int open_disk_file(void) {
  const char *directory = getenv("TMPDIR");
  return open(directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Memory, then an unnamed file in the site's own temporary directory. */
static int make_room(uint64_t length) {
  if (state.file >= 0 || length <= BODY_MEMORY) return 1;
  state.file = open_disk_file();
  return state.file >= 0 && write_file(state.file, memory, (size_t)state.body_length, 0) >= 0;
}

static void store_body(const unsigned char *data, size_t length) {
  if (state.refusal != INTAKE_COMPLETE) {
    state.drained += length;
    return;
  }
  if (state.body_length + length > state.max_body) {
    state.refusal = INTAKE_BODY_TOO_LARGE;
    return;
  }
  if (!make_room(state.body_length + length)) {
    state.refusal = INTAKE_SPOOL;
    return;
  }
  if (state.file < 0) memcpy(memory + state.body_length, data, length);
  else if (write_file(state.file, data, length, state.body_length) < 0) state.refusal = INTAKE_SPOOL;
  state.body_length += length;
}

static void store_params(const unsigned char *data, size_t length) {
  if (length == 0) {
    state.params_ended = 1;
  } else if (state.params_length + length > PARAMS_MAX) {
    if (state.refusal == INTAKE_COMPLETE) state.refusal = INTAKE_PARAMS_TOO_LARGE;
    state.drained += length;
  } else {
    memcpy(params + state.params_length, data, length);
    state.params_length += length;
  }
}

static void reply(int type, const void *content, size_t length) {
  unsigned char record[64];
  if (state.replies++ >= REPLIES_MAX) return;
  record_header(record, type, 0, length);
  memcpy(record + FCGI_HEADER, content, length);
  send(state.connection, record, FCGI_HEADER + length, MSG_NOSIGNAL);
}

/* Management records: no two requests share a connection here, and no other type is known. */
static void manage(int type) {
  static const unsigned char value[] = "\x0f\x01" "FCGI_MPXS_CONNS" "0";
  unsigned char unknown[8] = {(unsigned char)type};
  if (type == FCGI_GET_VALUES) reply(FCGI_GET_VALUES_RESULT, value, sizeof value - 1);
  else reply(FCGI_UNKNOWN_TYPE, unknown, sizeof unknown);
}

/* One complete record. Returns 0 where the peer breaks the rules. */
static int take_record(const unsigned char *record, size_t length) {
  int type = record[1], id = record[2] << 8 | record[3];
  const unsigned char *content = record + FCGI_HEADER;
  if (id == 0) {
    manage(type);
    return state.replies <= REPLIES_MAX;
  }
  if (type == FCGI_BEGIN_REQUEST) {
    if (length != 8 || state.id) return 0; /* a second request at once: nobody was told that it may */
    state.id = id;
    state.role = content[0] << 8 | content[1];
    state.keeps = content[2] & 1;
    if (state.role != 1) state.refusal = INTAKE_ROLE;
    return 1;
  }
  if (id != state.id) return 1; /* the specification: ignored */
  if (type == FCGI_ABORT_REQUEST) state.aborted = 1;
  else if (type == FCGI_PARAMS && !state.params_ended) store_params(content, length);
  else if (type == FCGI_STDIN && state.params_ended && length) store_body(content, length);
  else if (type == FCGI_STDIN && state.params_ended) state.body_ended = 1;
  else return 0;
  return !state.aborted && state.drained <= DRAIN_MAX;
}

/* Takes the complete records that have been received. Returns 0 where the peer breaks the rules. */
static int take_records(void) {
  while (!state.body_ended && wire_end - wire_at >= FCGI_HEADER) {
    const unsigned char *record = wire + wire_at;
    size_t length = (size_t)record[4] << 8 | record[5], whole = FCGI_HEADER + length + record[6];
    if (record[0] != 1) return 0;
    if (wire_end - wire_at < whole) break;
    wire_at += whole;
    if (!take_record(record, length)) return 0;
  }
  memmove(wire, wire + wire_at, wire_end - wire_at);
  wire_end -= wire_at;
  wire_at = 0;
  return 1;
}

static int64_t number_in(struct span value) {
  int64_t number = value.length && value.length <= 18 ? 0 : -1;
  for (size_t i = 0; number >= 0 && i < value.length; i++) {
    int digit = value.at[i] - '0';
    number = digit < 0 || digit > 9 ? -1 : number * 10 + digit;
  }
  return number;
}

static struct announcement read_announcement(void) {
  const unsigned char *at = params, *end = params + state.params_length;
  struct span name, value;
  int64_t length = -1;
  int is_coded = 0, is_plain = 0, has_length = 0;
  while (pair_next(&at, end, &name, &value) > 0) {
    if (span_is(name, "HTTP_TRANSFER_ENCODING")) is_coded = 1;
    else if (span_is(name, "REQUEST_METHOD")) is_plain = span_is(value, "GET") || span_is(value, "HEAD");
    else if (span_is(name, "CONTENT_LENGTH")) {
      length = number_in(value);
      has_length |= value.length > 0;
    }
  }
  if (is_coded) length = -1;
  return (struct announcement){1, length, is_plain && !is_coded && !has_length};
}

/*
 * Apache sends the parameters and the end of the body one after the other, and
 * looks for an answer in between. Where there can be no body its end is not
 * waited for: PHP works meanwhile, and Apache seldom has to sleep.
 */
static int may_begin(void) {
  if (!state.params_ended) return 0;
  if (!state.announced.is_known) state.announced = read_announcement();
  return state.announced.is_bodiless && !state.body_length && state.refusal == INTAKE_COMPLETE;
}

static void forget(void) {
  if (state.file >= 0) syscall(SYS_close, state.file);
  if (state.body_length > BODY_RESIDENT)
    madvise(memory + BODY_RESIDENT, sizeof memory - BODY_RESIDENT, MADV_DONTNEED);
  memset(&state, 0, sizeof state);
  state.file = -1;
}

void intake_begin(int connection, uint64_t max_body, int is_kept) {
  forget();
  state.connection = connection;
  state.max_body = max_body;
  state.is_kept = is_kept;
  wire_at = wire_end = 0;
}

int intake_keeps(void) { return state.keeps; }

int intake_has_bytes(void) { return wire_end > 0; }

static int has_begun(void) { return state.id || wire_end; }

int intake_renew(void) {
  int connection = state.connection, is_owed = state.is_owed;
  uint64_t max_body = state.max_body;
  forget();
  state.connection = connection;
  state.max_body = max_body;
  state.is_kept = 1;
  if (!is_owed) return has_begun();
  ssize_t n = recv(connection, wire + wire_end, sizeof wire - wire_end, MSG_DONTWAIT);
  if (n <= 0) return has_begun();
  wire_end += (size_t)n;
  /* Of a request that is over, and so ignored. */
  state.is_broken = !take_records();
  return state.is_broken || has_begun();
}

/* Takes what has come already, then waits for more. Returns INTAKE_COMPLETE when all is there. */
static enum intake_result receive_all(void) {
  if (state.is_broken || (wire_end && !take_records())) return INTAKE_CLOSE;
  while (!may_begin() && !state.body_ended) {
    int may_be_nothing = state.is_kept && !has_begun();
    int flags = may_be_nothing ? MSG_DONTWAIT : 0;
    ssize_t n = recv(state.connection, wire + wire_end, sizeof wire - wire_end, flags);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN && may_be_nothing) return INTAKE_NOTHING;
    if (n < 0 && errno == EAGAIN && state.id) return INTAKE_TIMEOUT;
    if (n <= 0) return INTAKE_CLOSE;
    wire_end += (size_t)n;
    if (!take_records()) return INTAKE_CLOSE;
  }
  return INTAKE_COMPLETE;
}

enum intake_result intake_read(struct task *task) {
  enum intake_result result = receive_all();
  task->request_id = state.id;
  if (result != INTAKE_COMPLETE) return result;
  int64_t declared = state.announced.length;
  state.is_owed = !state.body_ended;
  if (state.refusal == INTAKE_COMPLETE && declared > 0 && (uint64_t)declared > state.body_length)
    state.refusal = INTAKE_CUT_SHORT;
  *task = (struct task){.connection = state.connection,
                        .request_id = state.id,
                        .params = params,
                        .params_length = state.params_length,
                        .body = memory,
                        .body_file = state.file,
                        .body_length = state.body_length};
  if (state.refusal == INTAKE_COMPLETE) state.file = -1; /* the task's now */
  else task->body_file = -1;
  return state.refusal;
}

void intake_expect_end(int connection, int request_id) {
  intake_begin(connection, 0, 0);
  state.id = request_id;
  state.params_ended = 1;
  state.is_owed = 1;
}

/* The router's connections do not block. */
static int has_more(int connection, int timeout_ms) {
  struct pollfd p = {.fd = connection, .events = POLLIN};
  return (int)syscall(SYS_poll, &p, 1, timeout_ms) > 0;
}

void intake_drain(int connection) {
  int is_owed = state.is_owed;
  state.is_owed = 0;
  if (!is_owed) return;
  if (!has_more(connection, 0)) {
    syscall(SYS_shutdown, connection, SHUT_WR);
    if (!has_more(connection, DRAIN_MS)) return;
  }
  do {
    ssize_t n = recv(connection, wire + wire_end, sizeof wire - wire_end, MSG_DONTWAIT);
    if (n <= 0) return;
    wire_end += (size_t)n;
  } while (take_records() && !state.body_ended && has_more(connection, 0));
}
