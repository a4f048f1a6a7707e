#include "files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "values.h"

static Napi::Value makeMemoryFile(const Napi::CallbackInfo& info) {
  std::string name;
  if (!readText(info[0], &name)) return Napi::Number::New(info.Env(), -EINVAL);
  return resultOf(info.Env(), memfd_create(name.c_str(), MFD_CLOEXEC));
}

/**
 * Memory of a fixed size to be shared with strangers: nobody can make it smaller, which would end whoever reads it
 * with SIGBUS.
 */
static Napi::Value makeSharedMemory(const Napi::CallbackInfo& info) {
  std::string name;
  if (!readText(info[0], &name)) return Napi::Number::New(info.Env(), -EINVAL);
  const int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return resultOf(info.Env(), -1);
  const bool done = ftruncate(fd, readInt(info, 1)) == 0 &&
                    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
  if (done) return Napi::Number::New(info.Env(), fd);
  const int error = errno;
  close(fd);
  return Napi::Number::New(info.Env(), -error);
}

/** The whole of such memory as an ArrayBuffer, unmapped when nobody has it any more. Only sealed memory is taken. */
static Napi::Value mapSharedMemory(const Napi::CallbackInfo& info) {
  const int fd = readInt(info, 0);
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return resultOf(info.Env(), -1);
  if ((seals & F_SEAL_SHRINK) == 0) return Napi::Number::New(info.Env(), -EPERM);
  struct stat st = {};
  if (fstat(fd, &st) != 0) return resultOf(info.Env(), -1);
  const size_t length = static_cast<size_t>(st.st_size);
  void* map = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) return resultOf(info.Env(), -1);
  return Napi::ArrayBuffer::New(info.Env(), map, length, [length](Napi::Env, void* data) { munmap(data, length); });
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

/** The text of an extended attribute, getxattr(2), or the error number; long ones are refused. */
static Napi::Value readExtendedAttribute(const Napi::CallbackInfo& info) {
  std::string path, name;
  if (!readText(info[0], &path) || !readText(info[1], &name)) return Napi::Number::New(info.Env(), -EINVAL);
  char value[256];
  const ssize_t length = getxattr(path.c_str(), name.c_str(), value, sizeof(value));
  if (length < 0) return resultOf(info.Env(), -1);
  return Napi::String::New(info.Env(), value, static_cast<size_t>(length));
}

void registerFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("memfd", Napi::Function::New(env, makeMemoryFile));
  exports.Set("sharedMemory", Napi::Function::New(env, makeSharedMemory));
  exports.Set("mapSharedMemory", Napi::Function::New(env, mapSharedMemory));
  exports.Set("tmpfile", Napi::Function::New(env, makeTemporaryFile));
  exports.Set("extendedAttribute", Napi::Function::New(env, readExtendedAttribute));
  exports.Set("lockFile", Napi::Function::New(env, lockFile));
}
