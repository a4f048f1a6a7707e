#include "accounts.h"

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "values.h"

constexpr size_t kFirstBuffer = 4096;
// A group of ten thousand members fits; what is larger is an attack or a mistake.
constexpr size_t kLargestBuffer = size_t{16} << 20;

/** Calls a get…_r function with ever more room. The result is 0, or an error number. */
template <typename Ask>
static int askWithRoom(std::vector<char>* buffer, Ask ask) {
  buffer->resize(kFirstBuffer);
  for (;;) {
    const int error = ask();
    if (error == EINTR) continue;
    if (error != ERANGE || buffer->size() >= kLargestBuffer) return error;
    buffer->resize(buffer->size() * 2);
  }
}

/** These, says getpwnam(3), may all mean no more than that there is no such entry. 0 stands for that. */
static Napi::Value missing(Napi::Env env, int error) {
  const bool unknown = error == 0 || error == ENOENT || error == ESRCH;
  return Napi::Number::New(env, unknown ? 0 : -error);
}

static std::vector<gid_t> groupsOf(const passwd& user) {
  int count = 64;
  std::vector<gid_t> groups(count);
  while (getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
    // The count says how many there are; it can grow again in the meantime.
    count = count > static_cast<int>(groups.size()) ? count : static_cast<int>(groups.size()) * 2;
    groups.resize(count);
  }
  groups.resize(count);
  return groups;
}

static Napi::Value userObject(Napi::Env env, const passwd& user) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", user.pw_name);
  object.Set("uid", static_cast<double>(user.pw_uid));
  object.Set("gid", static_cast<double>(user.pw_gid));
  object.Set("home", user.pw_dir);
  object.Set("shell", user.pw_shell);
  const std::vector<gid_t> groups = groupsOf(user);
  Napi::Array list = Napi::Array::New(env, groups.size());
  for (uint32_t i = 0; i < groups.size(); i++) list.Set(i, static_cast<double>(groups[i]));
  object.Set("groups", list);
  return object;
}

static Napi::Value groupObject(Napi::Env env, const group& group) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", group.gr_name);
  object.Set("gid", static_cast<double>(group.gr_gid));
  return object;
}

template <typename Ask>
static Napi::Value findUser(Napi::Env env, Ask ask) {
  passwd entry = {};
  passwd* found = nullptr;
  std::vector<char> buffer;
  const int error = askWithRoom(&buffer, [&] { return ask(&entry, buffer.data(), buffer.size(), &found); });
  return found == nullptr ? missing(env, error) : userObject(env, *found);
}

template <typename Ask>
static Napi::Value findGroup(Napi::Env env, Ask ask) {
  group entry = {};
  group* found = nullptr;
  std::vector<char> buffer;
  const int error = askWithRoom(&buffer, [&] { return ask(&entry, buffer.data(), buffer.size(), &found); });
  return found == nullptr ? missing(env, error) : groupObject(env, *found);
}

static Napi::Value userByName(const Napi::CallbackInfo& info) {
  std::string name;
  if (!readText(info[0], &name)) return missing(info.Env(), ENOENT);
  return findUser(info.Env(), [&](passwd* entry, char* room, size_t size, passwd** found) {
    return getpwnam_r(name.c_str(), entry, room, size, found);
  });
}

static Napi::Value userByUid(const Napi::CallbackInfo& info) {
  int64_t uid = 0;
  if (!readInteger(info[0], 0, UINT32_MAX, &uid)) return missing(info.Env(), ENOENT);
  return findUser(info.Env(), [&](passwd* entry, char* room, size_t size, passwd** found) {
    return getpwuid_r(static_cast<uid_t>(uid), entry, room, size, found);
  });
}

static Napi::Value groupByName(const Napi::CallbackInfo& info) {
  std::string name;
  if (!readText(info[0], &name)) return missing(info.Env(), ENOENT);
  return findGroup(info.Env(), [&](group* entry, char* room, size_t size, group** found) {
    return getgrnam_r(name.c_str(), entry, room, size, found);
  });
}

static Napi::Value groupByGid(const Napi::CallbackInfo& info) {
  int64_t gid = 0;
  if (!readInteger(info[0], 0, UINT32_MAX, &gid)) return missing(info.Env(), ENOENT);
  return findGroup(info.Env(), [&](group* entry, char* room, size_t size, group** found) {
    return getgrgid_r(static_cast<gid_t>(gid), entry, room, size, found);
  });
}

void registerAccounts(Napi::Env env, Napi::Object exports) {
  exports.Set("userByName", Napi::Function::New(env, userByName));
  exports.Set("userByUid", Napi::Function::New(env, userByUid));
  exports.Set("groupByName", Napi::Function::New(env, groupByName));
  exports.Set("groupByGid", Napi::Function::New(env, groupByGid));
}
