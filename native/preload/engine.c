#define _GNU_SOURCE
#include "engine.h"

#include <dlfcn.h>
#include <stdio.h>

uint64_t engine_globals(void) { return (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "executor_globals"); }

uint32_t engine_version(void) {
  /* ISO C knows no way from an object's address to a function's. */
  union {
    void *object;
    char *(*function)(void);
  } symbol = {dlsym(RTLD_DEFAULT, "get_zend_version")};
  unsigned major, minor;
  if (!symbol.object || sscanf(symbol.function(), "Zend Engine v%u.%u.", &major, &minor) != 2) return 0;
  return major < 256 && minor < 256 ? major << 8 | minor : 0;
}
