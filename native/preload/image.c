#define _GNU_SOURCE
#include "image.h"

#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1 */
#endif

/* As x86-64 has them; elsewhere nothing is arranged. */
#define PAGE ((uintptr_t)4096)
#define HUGE_PAGE ((uintptr_t)2 << 20)

static uintptr_t down_to(uintptr_t unit, uintptr_t at) { return at & ~(unit - 1); }
static uintptr_t up_to(uintptr_t unit, uintptr_t at) { return down_to(unit, at + unit - 1); }

/* --- The heap: what PHP's start has left there, hundreds of pages, is one. */

static uintptr_t heap;

static uintptr_t heap_end(void) { return (uintptr_t)sbrk(0); }

void image_prepare(void) {
  if (sysconf(_SC_PAGESIZE) != (long)PAGE) return;
  uintptr_t start = up_to(HUGE_PAGE, heap_end());
  if (sbrk((intptr_t)(start - heap_end())) != (void *)-1) heap = start;
}

/* A huge page is whole: what PHP has not used of it is memory that nobody needs. */
static int is_mostly_used(uintptr_t start, uintptr_t end) {
  unsigned char is_present[HUGE_PAGE / PAGE];
  size_t used = 0;
  if (mincore((void *)start, end - start, is_present) < 0) return 0;
  for (size_t i = 0; i < (end - start) / PAGE; i++) used += is_present[i] & 1;
  return used >= HUGE_PAGE / PAGE / 4 * 3;
}

static void arrange_heap(void) {
  uintptr_t end = down_to(PAGE, heap_end());
  for (uintptr_t start = heap; start && start < end; start += HUGE_PAGE) {
    uintptr_t next = start + HUGE_PAGE;
    if (!is_mostly_used(start, next < end ? next : end)) continue;
    /* The last one may reach beyond what malloc(3) knows of; it copes with that. */
    if (next > heap_end() && sbrk((intptr_t)(next - heap_end())) == (void *)-1) return;
    madvise((void *)start, HUGE_PAGE, MADV_COLLAPSE);
  }
}

/* --- Relocated constants: each library's were written at its start, and never again. */

struct constants {
  int fd;
  uintptr_t length; /* of those before */
  int (*each)(struct constants *, uintptr_t start, uintptr_t length);
};

/* What ld.so has made read-only: whole pages from the first, but not the one that it shares with the data behind it. */
static int each_library(struct dl_phdr_info *info, size_t size, void *data) {
  struct constants *constants = data;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_GNU_RELRO) continue;
    uintptr_t start = down_to(PAGE, info->dlpi_addr + part->p_vaddr);
    uintptr_t end = down_to(PAGE, info->dlpi_addr + part->p_vaddr + part->p_memsz);
    if (end <= start) continue;
    if (!constants->each(constants, start, end - start)) return 1;
    constants->length += end - start;
  }
  return 0;
}

static int all(struct constants *constants, int (*each)(struct constants *, uintptr_t, uintptr_t)) {
  constants->length = 0;
  constants->each = each;
  return dl_iterate_phdr(each_library, constants) == 0;
}

static int count(struct constants *constants, uintptr_t start, uintptr_t length) {
  (void)constants, (void)start, (void)length;
  return 1;
}

static int copy(struct constants *constants, uintptr_t start, uintptr_t length) {
  ssize_t n = pwrite(constants->fd, (void *)start, length, (off_t)constants->length);
  return n == (ssize_t)length;
}

static int map(struct constants *constants, uintptr_t start, uintptr_t length) {
  return mmap((void *)start, length, PROT_READ, MAP_PRIVATE | MAP_FIXED, constants->fd,
              (off_t)constants->length) != MAP_FAILED;
}

static int may_write(uintptr_t length) {
  struct rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= length;
}

/* In a file that nobody can change any more a page is no copy of its own, which each fork would have to count. */
static void arrange_constants(void) {
  struct constants constants = {.fd = memfd_create("guise-constants", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (constants.fd < 0) return;
  int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (all(&constants, count) && may_write(constants.length) && all(&constants, copy) &&
      fcntl(constants.fd, F_ADD_SEALS, seals) == 0)
    all(&constants, map);
  syscall(SYS_close, constants.fd);
}

/* --- PHP's code: a page that a process has not touched costs a fault, and each that it has is counted at its end. */

struct code {
  uintptr_t start, end;
  uintptr_t file; /* where the file's first byte would be */
};

/* The first is the program itself: its code, and the constants on both sides of it. */
static int find_code(struct dl_phdr_info *info, size_t size, void *data) {
  struct code *code = data;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
    uintptr_t start = info->dlpi_addr + part->p_vaddr;
    if (!code->start) {
      code->start = up_to(PAGE, start);
      code->file = start - part->p_offset;
    }
    /* There may be a gap in between, where nothing is mapped. */
    else if (down_to(PAGE, start) > up_to(PAGE, code->end) || start - part->p_offset != code->file) break;
    code->end = start + part->p_memsz;
  }
  return 1;
}

/* As it stands in the program's file: a debugger's or a probe's breakpoint in the original is not to be copied. */
static int copy_code(uintptr_t copied, uintptr_t start, uintptr_t length, uintptr_t file) {
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = pread(fd, (void *)copied, length, (off_t)(start - file));
  syscall(SYS_close, fd);
  return n == (ssize_t)length && memcmp((void *)copied, (void *)start, length) == 0;
}

/* A copy in huge pages beside it takes its place at once, and only when it is complete. */
static void replace(uintptr_t start, uintptr_t length, uintptr_t file) {
  uintptr_t room = (uintptr_t)mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == (uintptr_t)MAP_FAILED) return;
  uintptr_t copied = up_to(HUGE_PAGE, room);
  if (copy_code(copied, start, length, file) && madvise((void *)copied, length, MADV_COLLAPSE) == 0 &&
      mprotect((void *)copied, length, PROT_READ | PROT_EXEC) == 0)
    mremap((void *)copied, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start);
  munmap((void *)room, length + HUGE_PAGE);
}

static void arrange_code(void) {
  struct code code = {0, 0, 0};
  dl_iterate_phdr(find_code, &code);
  uintptr_t start = up_to(HUGE_PAGE, code.start), end = down_to(HUGE_PAGE, code.end);
  if (code.start && start < end) replace(start, end - start, code.file);
}

void image_arrange(void) {
  static int is_done;
  if (is_done || sysconf(_SC_PAGESIZE) != (long)PAGE) return;
  is_done = 1;
  arrange_heap();
  /* A core file leaves out what is mapped from a file and has not been written: whoever wants one wants these too. */
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) arrange_constants();
  arrange_code();
}
