/*
 * guise-php-stack ADDRESS ENGINE: what PHP a worker is running, from outside.
 * Reads the worker's memory through descriptor 4 (its /proc/PID/mem, opened by
 * the master) and writes one line for each function call, the innermost first,
 * in a single write to descriptor 1. "!WORD" there is why it cannot.
 *
 * Privilege: the site's user, whose worker it is, without a right to start,
 * open or signal anything: a seccomp filter leaves pread, write and exit. The
 * worker is neither stopped nor traced, so what is read may change meanwhile,
 * and it belongs to a tenant: every pointer may lead anywhere, every list in a
 * circle. Steps and bytes are counted. The program's file cannot be read by
 * the site's user, so that the kernel lets nobody of his look into this process.
 */
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OUTPUT = 1, MEMORY = 4, FRAMES_MAX = 32, NAME_MAX_BYTES = 120, FILE_MAX_BYTES = 250, OUT_MAX = 16 * 1024 };

/*
 * Where things lie in PHP's memory, by the version of its engine (get_zend_version(): 4.2 is PHP 8.2), in 64-bit
 * builds without threads and debugging. From offsetof() with the headers of php8.2-dev; test/native/php-stack.test.ts
 * proves it on the PHP that is there.
 */
static const struct layout {
  unsigned engine;
  unsigned current;                        /* executor_globals.current_execute_data */
  unsigned opline, function, previous;     /* zend_execute_data */
  unsigned name, scope, file;              /* zend_function; its type is the first byte */
  unsigned line;                           /* zend_op.lineno */
  unsigned class_name;                     /* zend_class_entry.name */
} layouts[] = {{0x0402, 488, 0, 24, 48, 8, 16, 152, 24, 8}};
enum { STRING_LENGTH = 16, STRING_TEXT = 24 }; /* zend_string */

static char out[OUT_MAX];
static size_t out_length;

static void say(const char *text, size_t length) {
  for (size_t i = 0; i < length && out_length < OUT_MAX; i++) {
    unsigned char byte = (unsigned char)text[i];
    out[out_length++] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
  }
}

static void say_text(const char *text) { say(text, strlen(text)); }

static void say_number(unsigned n) {
  char digits[10];
  int at = sizeof digits;
  do digits[--at] = (char)('0' + n % 10);
  while (n /= 10);
  say(digits + at, sizeof digits - (size_t)at);
}

static void end_line(void) {
  if (out_length < OUT_MAX) out[out_length++] = '\n';
}

static _Noreturn void finish(void) {
  ssize_t ignored = write(OUTPUT, out, out_length);
  _exit(ignored < 0);
}

static _Noreturn void give_up(const char *why) {
  out_length = 0;
  say_text(why);
  finish();
}

static int get(uint64_t address, void *to, size_t length) {
  if (address == 0 || address > INT64_MAX - length) return 0;
  return pread(MEMORY, to, length, (off_t)address) == (ssize_t)length;
}

static uint64_t pointer_at(uint64_t address) {
  uint64_t value = 0;
  return get(address, &value, sizeof value) ? value : 0;
}

/* Returns whether there was one. */
static int say_string(uint64_t address, size_t most) {
  char text[FILE_MAX_BYTES];
  uint64_t length;
  if (!address || !get(address + STRING_LENGTH, &length, sizeof length) || !length) return 0;
  if (length > most) length = most;
  if (!get(address + STRING_TEXT, text, (size_t)length)) return 0;
  say(text, (size_t)length);
  return 1;
}

static void say_function(const struct layout *at, uint64_t function, int is_outermost) {
  uint64_t scope = pointer_at(function + at->scope), name = pointer_at(function + at->name);
  if (!name) {
    say_text(is_outermost ? "main" : "include or eval");
    return;
  }
  if (scope && say_string(pointer_at(scope + at->class_name), NAME_MAX_BYTES)) say_text("::");
  say_string(name, NAME_MAX_BYTES);
  say_text("()");
}

/* Where it is now; a function of PHP's own is nowhere. */
static void say_place(const struct layout *at, uint64_t frame, uint64_t function) {
  uint8_t type = 1;
  uint32_t line = 0;
  if (!get(function, &type, 1) || (type & 1)) return;
  say_text(" ");
  if (!say_string(pointer_at(function + at->file), FILE_MAX_BYTES)) return;
  if (!get(pointer_at(frame + at->opline) + at->line, &line, sizeof line)) return;
  say_text(":");
  say_number(line);
}

static void walk(const struct layout *at, uint64_t globals) {
  uint64_t frame;
  if (!get(globals + at->current, &frame, sizeof frame)) give_up("!unreadable");
  if (!frame) give_up("!no-script");
  for (int n = 0; frame && n < FRAMES_MAX; n++) {
    uint64_t function = pointer_at(frame + at->function), previous = pointer_at(frame + at->previous);
    if (function) {
      say_function(at, function, !previous);
      say_place(at, frame, function);
      end_line();
    }
    frame = previous;
  }
}

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#ifdef __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#endif

static int lock_in(void) {
#ifdef MACHINE
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ALLOW(SYS_pread64),
      ALLOW(SYS_write),
      ALLOW(SYS_exit_group),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
  return 0;
#endif
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  uint64_t globals = strtoull(argv[1], NULL, 10);
  unsigned long engine = strtoul(argv[2], NULL, 10);
  /* Who could trace it would have the worker's memory. */
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 || !lock_in()) give_up("!unsafe");
  if (!globals) give_up("!unknown-php");
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    if (layouts[i].engine != engine) continue;
    walk(&layouts[i], globals);
    finish();
  }
  give_up("!unknown-php");
}
