#include "files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <cerrno>
#include <string>

#include "values.h"

static Napi::Value makeMemoryFile(const Napi::CallbackInfo& info) {
  std::string name;
  if (!readText(info[0], &name)) return Napi::Number::New(info.Env(), -EINVAL);
  return resultOf(info.Env(), memfd_create(name.c_str(), MFD_CLOEXEC));
}

/** O_EXCL: the file can never be given a name with linkat(2). */
static Napi::Value makeTemporaryFile(const Napi::CallbackInfo& info) {
  std::string directory;
  if (!readText(info[0], &directory)) return Napi::Number::New(info.Env(), -EINVAL);
  return resultOf(info.Env(), open(directory.c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
}

static Napi::Value lockFile(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), flock(readInt(info, 0), LOCK_EX | LOCK_NB));
}

void registerFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("memfd", Napi::Function::New(env, makeMemoryFile));
  exports.Set("tmpfile", Napi::Function::New(env, makeTemporaryFile));
  exports.Set("lockFile", Napi::Function::New(env, lockFile));
}
