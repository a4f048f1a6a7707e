#define _GNU_SOURCE
#include "rewrite.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "pairs.h"
#include "site.h"

/* What one scan of the parameters found; the last of several wins, as in PHP. */
struct found {
  struct span script_filename, path_info, script_name, content_length, redirect_url, request_uri;
  int has_content_length, has_document_root;
};

struct writer {
  unsigned char *out;
  size_t length;
  size_t record; /* where the header of the open PARAMS record lies */
  int id;
};

void record_header(unsigned char *out, int type, int id, size_t length) {
  out[0] = 1;
  out[1] = (unsigned char)type;
  out[2] = (unsigned char)(id >> 8);
  out[3] = (unsigned char)id;
  out[4] = (unsigned char)(length >> 8);
  out[5] = (unsigned char)length;
  out[6] = 0;
  out[7] = 0;
}

static void close_record(struct writer *w) {
  record_header(w->out + w->record, FCGI_PARAMS, w->id, w->length - w->record - FCGI_HEADER);
}

static void open_record(struct writer *w) {
  w->record = w->length;
  w->length += FCGI_HEADER;
}

static size_t put_length(unsigned char *out, size_t n) {
  if (n < 128) {
    out[0] = (unsigned char)n;
    return 1;
  }
  out[0] = (unsigned char)(0x80 | n >> 24);
  out[1] = (unsigned char)(n >> 16);
  out[2] = (unsigned char)(n >> 8);
  out[3] = (unsigned char)n;
  return 4;
}

/* php-cgi decodes each record by itself, so a pair never crosses from one to the next. */
static int put(struct writer *w, const char *name, size_t name_length, const char *value, size_t value_length) {
  size_t size = name_length + value_length + 8;
  if (size > FCGI_CHUNK || w->length + size + 4 * FCGI_HEADER > REWRITE_MAX) return 0;
  if (w->length - w->record - FCGI_HEADER + size > FCGI_CHUNK) {
    close_record(w);
    open_record(w);
  }
  w->length += put_length(w->out + w->length, name_length);
  w->length += put_length(w->out + w->length, value_length);
  memcpy(w->out + w->length, name, name_length);
  memcpy(w->out + w->length + name_length, value, value_length);
  w->length += name_length + value_length;
  return 1;
}

/* Apache copies every variable with a REDIRECT_ before it at each internal redirect. */
static struct span without_redirects(struct span name) {
  while (span_starts(name, "REDIRECT_")) {
    name.at += 9;
    name.length -= 9;
  }
  return name;
}

/* PHP takes variables into its own settings and file search, programs take some into their proxies. */
static int is_harmful(struct span name) {
  struct span base = without_redirects(name);
  if (span_starts(base, "GUISE_")) return 1;
  if (span_is(base, "PHP_VALUE") || span_is(base, "PHP_ADMIN_VALUE") || span_is(base, "PHPRC") || span_is(base, "PHP_INI_SCAN_DIR"))
    return 1;
  if (span_is(base, "HTTP_PROXY") || span_is(base, "PATH_TRANSLATED") || span_starts(base, "ORIG_") || span_starts(base, "LD_"))
    return 1;
  if (span_is(name, "HTTP_TRANSFER_ENCODING")) return 1; /* the body has a length by now */
  for (size_t i = 0; i < name.length; i++)
    if ((unsigned char)name.at[i] <= 0x20 || name.at[i] == '=' || name.at[i] == 0x7f) return 1;
  return name.length == 0;
}

/* Parameters that are written anew at the end; remembers what they were. */
static int is_rewritten(struct span name, struct span value, struct found *found) {
  if (span_is(name, "SCRIPT_FILENAME")) found->script_filename = value;
  else if (span_is(name, "PATH_INFO")) found->path_info = value;
  else if (span_is(name, "SCRIPT_NAME")) found->script_name = value;
  else if (span_is(name, "REDIRECT_URL")) found->redirect_url = value;
  else if (span_is(name, "CONTENT_LENGTH")) {
    found->content_length = value;
    found->has_content_length = 1;
  } else return 0;
  return 1;
}

static int put_content_length(struct writer *w, const struct found *found, uint64_t length) {
  char text[24];
  if (length == 0 && !found->has_content_length) return 1;
  int n = snprintf(text, sizeof text, "%llu", (unsigned long long)length);
  if (length == 0 && found->content_length.length == 0) n = 0;
  return put(w, "CONTENT_LENGTH", 14, text, (size_t)n);
}

static int put_script(struct writer *w, const struct found *found, const char *path, const char *info) {
  struct span path_info = found->path_info, script_name = found->script_name;
  size_t n = strlen(info);
  if (n) {
    path_info = (struct span){info, n};
    if (script_name.length > n && !memcmp(script_name.at + script_name.length - n, info, n)) script_name.length -= n;
  }
  if (!put(w, "SCRIPT_FILENAME", 15, path, strlen(path))) return 0;
  if (script_name.at && !put(w, "SCRIPT_NAME", 11, script_name.at, script_name.length)) return 0;
  if (path_info.length && !put(w, "PATH_INFO", 9, path_info.at, path_info.length)) return 0;
  /* With REDIRECT_URL beside it php-cgi would throw PATH_INFO away. */
  if (found->redirect_url.at && !path_info.length &&
      !put(w, "REDIRECT_URL", 12, found->redirect_url.at, found->redirect_url.length))
    return 0;
  return found->has_document_root || put(w, "DOCUMENT_ROOT", 13, site.root, strlen(site.root));
}

static void put_begin(struct writer *w) {
  static const unsigned char body[8] = {0, 1 /* RESPONDER */, 1 /* KEEP_CONN */};
  record_header(w->out, FCGI_BEGIN_REQUEST, w->id, sizeof body);
  memcpy(w->out + FCGI_HEADER, body, sizeof body);
  w->length = FCGI_HEADER + sizeof body;
}

/*
 * ProxyPassMatch glues the URL's path to the root as it came: the file's name
 * then ends as REQUEST_URI does, escapes included. Whoever decodes the path
 * before sends a name with another end.
 */
static int is_still_encoded(const struct found *found) {
  struct span uri = found->request_uri, name = found->script_filename;
  if (!uri.length) return 0;
  const char *query = memchr(uri.at, '?', uri.length);
  if (query) uri.length = (size_t)(query - uri.at);
  return memchr(uri.at, '%', uri.length) && name.length >= uri.length &&
         !memcmp(name.at + name.length - uri.length, uri.at, uri.length);
}

static struct verdict find(const struct found *found, char path[PATH_MAX], char info[PATH_MAX]) {
  struct span name = found->script_filename;
  char decoded[PATH_MAX];
  if (is_still_encoded(found) && script_decode(name.at, name.length, decoded, sizeof decoded))
    name = (struct span){decoded, strlen(decoded)};
  return script_find(name.at, name.length, path, PATH_MAX, info, PATH_MAX);
}

struct verdict rewrite_request(const struct task *task, unsigned char *out, size_t *out_length) {
  static const struct verdict malformed = {SCRIPT_BAD_PARAMS, 0};
  struct writer w = {.out = out, .id = task->request_id};
  struct found found = {0};
  struct span name, value;
  const unsigned char *at = task->params, *end = at + task->params_length;
  char path[PATH_MAX], info[PATH_MAX];
  int more;
  put_begin(&w);
  open_record(&w);
  while ((more = pair_next(&at, end, &name, &value)) > 0) {
    if (is_harmful(name) || is_rewritten(name, value, &found)) continue;
    if (span_is(name, "DOCUMENT_ROOT")) found.has_document_root = 1;
    if (span_is(name, "REQUEST_URI")) found.request_uri = value;
    if (!put(&w, name.at, name.length, value.at, value.length)) return malformed;
  }
  if (more < 0) return malformed;
  struct verdict v = find(&found, path, info);
  if (v.reason != SCRIPT_OK) return v;
  if (!put_script(&w, &found, path, info) || !put_content_length(&w, &found, task->body_length)) return malformed;
  close_record(&w);
  record_header(out + w.length, FCGI_PARAMS, w.id, 0);
  *out_length = w.length + FCGI_HEADER;
  return v;
}
