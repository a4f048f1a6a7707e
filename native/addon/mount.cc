#include "mount.h"

#include <sys/mount.h>

#include <cerrno>
#include <string>

#include "values.h"

/** Neither setuid programs nor device files have any business in a temporary directory. */
constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;

/** mountTmpfs(path, options, again): with `again` the one that is there gets other options. */
static Napi::Value mountTmpfs(const Napi::CallbackInfo& info) {
  std::string path;
  std::string options;
  if (!readText(info[0], &path) || !readText(info[1], &options) || !info[2].IsBoolean()) {
    return Napi::Number::New(info.Env(), -EINVAL);
  }
  const unsigned long flags = info[2].As<Napi::Boolean>().Value() ? kFlags | MS_REMOUNT : kFlags;
  return resultOf(info.Env(), mount("guise-tmp", path.c_str(), "tmpfs", flags, options.c_str()));
}

/** Whoever still has files open there keeps them; the name is free at once. */
static Napi::Value unmount(const Napi::CallbackInfo& info) {
  std::string path;
  if (!readText(info[0], &path)) return Napi::Number::New(info.Env(), -EINVAL);
  return resultOf(info.Env(), umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW));
}

void registerMount(Napi::Env env, Napi::Object exports) {
  exports.Set("mountTmpfs", Napi::Function::New(env, mountTmpfs));
  exports.Set("unmount", Napi::Function::New(env, unmount));
}
