#include "reap.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>

#include "bytes.h"
#include "values.h"

static double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

/** reap(out): fills out with exit code, signal, user µs, system µs and peak KiB; returns the pid, or 0 for
 * none. */
static Napi::Value reap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  void* table = nullptr;
  size_t entries = 0;
  if (!arrayOf(env, info[0], napi_float64_array, &table, &entries) || entries < 5) {
    return Napi::Number::New(env, -EINVAL);
  }

  int status = 0;
  rusage usage = {};
  pid_t pid = 0;
  do {
    pid = wait4(-1, &status, WNOHANG, &usage);
  } while (pid < 0 && errno == EINTR);
  if (pid < 0 && errno == ECHILD) pid = 0;
  if (pid <= 0) return resultOf(env, pid);

  double* values = static_cast<double*>(table);
  values[0] = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  values[1] = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  values[2] = microseconds(usage.ru_utime);
  values[3] = microseconds(usage.ru_stime);
  values[4] = static_cast<double>(usage.ru_maxrss);
  return Napi::Number::New(env, pid);
}

void registerReap(Napi::Env env, Napi::Object exports) {
  exports.Set("reap", Napi::Function::New(env, reap));
}
