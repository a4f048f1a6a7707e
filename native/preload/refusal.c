#define _GNU_SOURCE
#include "refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "direct.h"
#include "intake.h"
#include "rewrite.h"
#include "script.h"

static const char *status_line(int reason) {
  switch (reason) {
    case SCRIPT_NOT_NAMED:
    case SCRIPT_NOT_FOUND: return "404 Not Found";
    case SCRIPT_BAD_PATH:
    case SCRIPT_BAD_PARAMS:
    case DIRECT_INTAKE + INTAKE_CUT_SHORT: return "400 Bad Request";
    case SCRIPT_NO_ROOT: return "503 Service Unavailable";
    case DIRECT_INTAKE + INTAKE_TIMEOUT: return "408 Request Timeout";
    case DIRECT_INTAKE + INTAKE_BODY_TOO_LARGE: return "413 Payload Too Large";
    case DIRECT_INTAKE + INTAKE_PARAMS_TOO_LARGE: return "431 Request Header Fields Too Large";
    case DIRECT_INTAKE + INTAKE_ROLE: return "501 Not Implemented";
    case DIRECT_INTAKE + INTAKE_SPOOL: return "500 Internal Server Error";
    default: return "403 Forbidden";
  }
}

unsigned refusal_status(int reason) { return (unsigned)atoi(status_line(reason)); }

int refusal_send(const struct task *task, int reason, uint64_t id, uint64_t *bytes) {
  unsigned char out[1024];
  char page[320];
  const char *status = status_line(reason);
  int body = snprintf(page, sizeof page,
                      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title></head>\n"
                      "<body><h1>%s</h1><p>Reference: %012llx</p></body></html>\n",
                      status, status, (unsigned long long)id);
  int length = snprintf((char *)out + FCGI_HEADER, sizeof out - 3 * FCGI_HEADER,
                        "Status: %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"
                        "Cache-Control: no-store\r\n\r\n%s",
                        status, body, page);
  record_header(out, FCGI_STDOUT, task->request_id, (size_t)length);
  unsigned char *end = out + FCGI_HEADER + length;
  record_header(end, FCGI_STDOUT, task->request_id, 0);
  record_header(end + FCGI_HEADER, FCGI_END_REQUEST, task->request_id, 8);
  memset(end + 2 * FCGI_HEADER, 0, 8);
  size_t whole = (size_t)(end - out) + 3 * FCGI_HEADER;
  ssize_t sent = send(task->connection, out, whole, MSG_NOSIGNAL);
  *bytes = sent > 0 ? (uint64_t)sent : 0;
  return *bytes == whole;
}
