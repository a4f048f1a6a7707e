#include "process.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "values.h"

static Napi::Value pidfdOpen(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), syscall(SYS_pidfd_open, readInt(info, 0), 0));
}

static Napi::Value pidfdSignal(const Napi::CallbackInfo& info) {
  const long result = syscall(SYS_pidfd_send_signal, readInt(info, 0), readInt(info, 1), nullptr, 0);
  return resultOf(info.Env(), result);
}

// linux/pidfd.h of Linux 6.13, which older systems lack: the first version of the structure.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t pid, tgid, ppid;
  uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exitCode;
};
constexpr uint64_t kPidfdCredentials = 1 << 1;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xff, 11, PidfdInfo);

/** The real uid of the very process that the descriptor stands for. ENOTTY: this kernel cannot say. */
static Napi::Value pidfdRealUid(const Napi::CallbackInfo& info) {
  PidfdInfo found = {};
  found.mask = kPidfdCredentials;
  if (ioctl(readInt(info, 0), kPidfdGetInfo, &found) != 0) return resultOf(info.Env(), -1);
  if ((found.mask & kPidfdCredentials) == 0) return Napi::Number::New(info.Env(), -ENOTTY);
  return Napi::Number::New(info.Env(), found.ruid);
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
  exports.Set("pidfdRealUid", Napi::Function::New(env, pidfdRealUid));
  exports.Set("becomeSubreaper", Napi::Function::New(env, becomeSubreaper));
  exports.Set("setDumpable", Napi::Function::New(env, setDumpable));
}
