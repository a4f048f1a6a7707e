#define _GNU_SOURCE
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "site.h"

static struct verdict refuse(enum script_reason reason, uint32_t found) {
  return (struct verdict){reason, found};
}

static const struct verdict allowed = {SCRIPT_OK, 0};

/* Apache's handler prefix: "proxy:fcgi://name" or "proxy:balancer://name", then the path. */
static const char *after_proxy_prefix(const char *name, const char *end) {
  static const char *const prefixes[] = {"proxy:fcgi://", "proxy:balancer://"};
  for (size_t i = 0; i < 2; i++) {
    size_t n = strlen(prefixes[i]);
    if ((size_t)(end - name) < n || memcmp(name, prefixes[i], n)) continue;
    const char *slash = memchr(name + n, '/', (size_t)(end - name) - n);
    return slash ? slash : end;
  }
  return name;
}

/*
 * Copies a path with doubled slashes and "." removed; a last slash stays, for it
 * is the PATH_INFO of "/t.php/". Refuses a relative path,
 * control bytes (a NUL would end the path early for the kernel but not for
 * whoever compared it) and "..", which no web server leaves in a file name.
 */
static int clean(const char *in, const char *end, char *out, size_t size) {
  size_t n = 0;
  if (in == end || *in != '/') return 0;
  while (in < end) {
    while (in < end && *in == '/') in++;
    const char *start = in;
    while (in < end && *in != '/') {
      if ((unsigned char)*in < 0x20 || *in == 0x7f) return 0;
      in++;
    }
    size_t length = (size_t)(in - start);
    if (length == 0 || (length == 1 && start[0] == '.')) continue;
    if (length == 2 && start[0] == '.' && start[1] == '.') return 0;
    if (n + length + 3 > size) return 0;
    out[n++] = '/';
    memcpy(out + n, start, length);
    n += length;
  }
  if (n == 0) return 0;
  if (in[-1] == '/') out[n++] = '/';
  out[n] = 0;
  return 1;
}

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int script_decode(const char *in, size_t length, char *out, size_t size) {
  const char *end = in + length;
  size_t n = 0;
  int changed = 0;
  for (; in < end; in++) {
    if (n + 1 >= size) return 0;
    int is_escape = *in == '%' && end - in > 2;
    int high = is_escape ? hex(in[1]) : -1;
    int low = high >= 0 ? hex(in[2]) : -1;
    if (low >= 0) {
      out[n++] = (char)(high * 16 + low);
      in += 2;
      changed = 1;
    } else {
      out[n++] = *in;
    }
    if (out[n - 1] == 0) return 0;
  }
  out[n] = 0;
  return changed;
}

/*
 * Opens the longest leading part of `path` that is not beneath a plain file
 * ("/www/t.php/foo" is t.php with PATH_INFO "/foo") and cuts `path` there.
 * Where nothing opens, `path` is left whole and errno tells why.
 */
static int open_longest(char *path, char *info, size_t info_size) {
  size_t full = strlen(path), cut = full;
  int fd = open(path, O_PATH | O_CLOEXEC);
  while (fd < 0) {
    int saved = errno;
    char *slash = saved == ENOTDIR ? memrchr(path, '/', cut) : NULL;
    if (cut < full) path[cut] = '/';
    errno = saved;
    if (!slash || slash == path) return -1;
    cut = (size_t)(slash - path);
    path[cut] = 0;
    fd = open(path, O_PATH | O_CLOEXEC);
  }
  if (full - cut >= info_size) {
    close(fd);
    errno = ENAMETOOLONG;
    return -1;
  }
  if (cut < full) info[0] = '/';
  memcpy(info + (cut < full), path + cut + (cut < full), full - cut - (cut < full) + 1);
  return fd;
}

/* Components are compared, not characters: /home/bob/www does not hold /home/bob/www2/a.php. */
static int lies_beneath(const char *real, const char *root, size_t root_length) {
  return !strncmp(real, root, root_length) && real[root_length] == '/';
}

/*
 * Opens for reading a cleaned path below the root with no symbolic link on all
 * of its way: it is its own real path then, and so is the root's. One call that
 * spares the usual script most of the others. -1 for everything else.
 */
static int open_plain(const char *path) {
  struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
  size_t root_length = strlen(site.root);
  if (root_length < 2 || !lies_beneath(path, site.root, root_length)) return -1;
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static ssize_t real_path(int fd, char *out, size_t size) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, out, size - 1);
  if (n <= 0 || (size_t)n >= size - 1) return -1;
  out[n] = 0;
  return n;
}

static int is_trusted(uid_t uid) {
  if (uid == site.uid) return 1;
  for (int i = 0; i < site.owner_count; i++)
    if (site.owners[i] == uid) return 1;
  return 0;
}

/* Whoever may write the file or its directory decides what runs as the site's user. */
static int is_open_to_others(const struct stat *st) {
  return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != site.gid);
}

static struct verdict check_directory(const char *path) {
  struct stat st;
  script_step(SCRIPT_DIR_OWNER, path);
  if (stat(path, &st) < 0) return refuse(SCRIPT_NOT_FOUND, (uint32_t)errno);
  if (st.st_uid != 0 && !is_trusted(st.st_uid)) return refuse(SCRIPT_DIR_OWNER, st.st_uid);
  script_step(SCRIPT_DIR_WRITABLE, path);
  if (is_open_to_others(&st)) return refuse(SCRIPT_DIR_WRITABLE, st.st_mode);
  return allowed;
}

/* Every directory from the site's root down to the one that holds the script. */
static struct verdict check_way(char *real, size_t root_length) {
  for (size_t i = root_length;; i++) {
    if (real[i] != '/') continue;
    char *last = strrchr(real, '/');
    real[i] = 0;
    struct verdict v = check_directory(i ? real : "/");
    real[i] = '/';
    if (v.reason != SCRIPT_OK || real + i == last) return v;
  }
}

static int has_suffix(const char *real) {
  const char *base = strrchr(real, '/') + 1;
  size_t length = strlen(base);
  for (int i = 0; i < site.suffix_count; i++) {
    size_t n = strlen(site.suffixes[i]);
    if (length > n && !memcmp(base + length - n, site.suffixes[i], n)) return 1;
  }
  return 0;
}

static struct verdict check_beneath_root(const char *real, size_t *root_length) {
  char root[PATH_MAX];
  script_step(SCRIPT_NO_ROOT, site.root);
  int fd = open(site.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return refuse(SCRIPT_NO_ROOT, (uint32_t)errno);
  ssize_t n = real_path(fd, root, sizeof root);
  close(fd);
  if (n < 0) return refuse(SCRIPT_NO_ROOT, ENAMETOOLONG);
  if (n == 1) n = 0; /* the root directory itself */
  script_step(SCRIPT_OUTSIDE_ROOT, real);
  if (!lies_beneath(real, root, (size_t)n)) return refuse(SCRIPT_OUTSIDE_ROOT, 0);
  *root_length = (size_t)n;
  return allowed;
}

/* Landlock denies what access(2) allows, so it is tried. Not blocking: in its place there may be a FIFO by now. */
static struct verdict check_readable(const char *path) {
  script_step(SCRIPT_UNREADABLE, path);
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return refuse(SCRIPT_UNREADABLE, (uint32_t)errno);
  close(fd);
  return allowed;
}

/* It has been opened for reading already. */
static struct verdict is_readable(const char *path) {
  script_step(SCRIPT_UNREADABLE, path);
  return allowed;
}

/* What the path itself says: `real` and the length of the root's real path in it. */
static struct verdict check_place(int fd, const char *path, int is_plain, char *real, size_t *root_length) {
  if (!is_plain) {
    if (real_path(fd, real, PATH_MAX) < 0) return refuse(SCRIPT_BAD_PATH, 0);
    return check_beneath_root(real, root_length);
  }
  strcpy(real, path);
  *root_length = strlen(site.root);
  script_step(SCRIPT_NO_ROOT, site.root);
  script_step(SCRIPT_OUTSIDE_ROOT, real);
  return allowed;
}

/* `is_plain`: see open_plain. */
static struct verdict check_file(int fd, char *path, size_t size, int is_plain) {
  char real[PATH_MAX];
  size_t root_length = 0;
  struct stat st;
  if (fstat(fd, &st) < 0) return refuse(SCRIPT_NOT_FOUND, (uint32_t)errno);
  struct verdict v = check_place(fd, path, is_plain, real, &root_length);
  if (v.reason != SCRIPT_OK) return v;
  script_step(SCRIPT_NOT_REGULAR, real);
  if (!S_ISREG(st.st_mode)) return refuse(SCRIPT_NOT_REGULAR, st.st_mode);
  script_step(SCRIPT_SUFFIX, real);
  if (!has_suffix(real)) return refuse(SCRIPT_SUFFIX, 0);
  script_step(SCRIPT_OWNER, real);
  if (!is_trusted(st.st_uid)) return refuse(SCRIPT_OWNER, st.st_uid);
  script_step(SCRIPT_WRITABLE, real);
  if (is_open_to_others(&st)) return refuse(SCRIPT_WRITABLE, st.st_mode);
  script_step(SCRIPT_SETID, real);
  if (st.st_mode & (S_ISUID | S_ISGID)) return refuse(SCRIPT_SETID, st.st_mode);
  v = check_way(real, root_length);
  if (v.reason != SCRIPT_OK) return v;
  if (!site_name_script(path, size, real + root_length)) return refuse(SCRIPT_BAD_PATH, 0);
  return is_plain ? is_readable(path) : check_readable(path);
}

struct verdict script_find(const char *name, size_t length, char *path, size_t size, char *path_info,
                           size_t path_info_size) {
  const char *end = name + length;
  const char *start = after_proxy_prefix(name, end);
  script_step(SCRIPT_NOT_NAMED, "");
  if (length == 0) return refuse(SCRIPT_NOT_NAMED, 0);
  int proxied = start != name;
  script_step(SCRIPT_BAD_PATH, "");
  if (!clean(start, end, path, size)) return refuse(SCRIPT_BAD_PATH, 0);
  script_step(SCRIPT_NOT_FOUND, path);
  *path_info = 0;
  int fd = open_plain(path);
  int is_plain = fd >= 0;
  if (!is_plain) fd = open_longest(path, path_info, path_info_size);
  if (fd < 0 && errno == ENOENT && proxied) {
    char decoded[PATH_MAX];
    /* A rewritten URL may carry its query string behind the file's name. */
    char *query = strchr(path, '?');
    if (query) *query = 0;
    if (script_decode(path, strlen(path), decoded, sizeof decoded)) {
      if (!clean(decoded, decoded + strlen(decoded), path, size)) return refuse(SCRIPT_BAD_PATH, 0);
      query = path;
    }
    errno = ENOENT;
    if (query) fd = open_longest(path, path_info, path_info_size);
  }
  if (fd < 0) return refuse(errno == EACCES ? SCRIPT_UNREADABLE : SCRIPT_NOT_FOUND, (uint32_t)errno);
  struct verdict v = check_file(fd, path, size, is_plain);
  close(fd);
  return v;
}
