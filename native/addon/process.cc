#include "process.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "values.h"

static Napi::Value pidfdOpen(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), syscall(SYS_pidfd_open, readInt(info, 0), 0));
}

static Napi::Value pidfdSignal(const Napi::CallbackInfo& info) {
  const long result = syscall(SYS_pidfd_send_signal, readInt(info, 0), readInt(info, 1), nullptr, 0);
  return resultOf(info.Env(), result);
}

static Napi::Value becomeSubreaper(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

static Napi::Value setDumpable(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), prctl(PR_SET_DUMPABLE, info[0].ToBoolean().Value() ? 1 : 0, 0, 0, 0));
}

void registerProcess(Napi::Env env, Napi::Object exports) {
  exports.Set("pidfdOpen", Napi::Function::New(env, pidfdOpen));
  exports.Set("pidfdSignal", Napi::Function::New(env, pidfdSignal));
  exports.Set("becomeSubreaper", Napi::Function::New(env, becomeSubreaper));
  exports.Set("setDumpable", Napi::Function::New(env, setDumpable));
}
