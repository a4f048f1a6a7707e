#include "credentials.h"

#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "values.h"

// On 32-bit machines these numbers stand for the old calls with 16-bit ids.
static_assert(sizeof(void*) == 8, "guise needs a 64-bit machine");

constexpr uid_t kUnchanged = static_cast<uid_t>(-1);
constexpr int64_t kLargestId = static_cast<int64_t>(UINT32_MAX) - 1;

static Trouble trouble(const char* syscall) { return {syscall, errno}; }

/** What has been found is not an error of a system call: it shows power that must not be there. */
static Trouble stillPowerful(const char* syscall) { return {syscall, EPERM}; }

static Trouble readId(const Napi::Value& value, uint32_t* out) {
  int64_t id = 0;
  if (!readInteger(value, 0, kLargestId, &id)) return {"argument", EINVAL};
  if (id == 0) return {"argument", EPERM};
  *out = static_cast<uint32_t>(id);
  return kNoTrouble;
}

Trouble readIdentity(const Napi::Value& value, Identity* out) {
  if (!value.IsObject()) return {"argument", EINVAL};
  const Napi::Object object = value.As<Napi::Object>();
  Trouble found = readId(object.Get("uid"), &out->uid);
  if (found.error == 0) found = readId(object.Get("gid"), &out->gid);
  const Napi::Value list = object.Get("groups");
  if (found.error == 0 && !list.IsArray()) found = {"argument", EINVAL};
  if (found.error != 0) return found;

  const Napi::Array groups = list.As<Napi::Array>();
  for (uint32_t i = 0; i < groups.Length(); i++) {
    gid_t gid = 0;
    found = readId(groups.Get(i), &gid);
    if (found.error != 0) return found;
    out->groups.push_back(gid);
  }
  std::sort(out->groups.begin(), out->groups.end());
  out->groups.erase(std::unique(out->groups.begin(), out->groups.end()), out->groups.end());
  out->seen.resize(out->groups.size() + 1);
  return kNoTrouble;
}

Trouble setGroupsAlone(const Identity& identity) {
  const long result = syscall(SYS_setgroups, identity.groups.size(), identity.groups.data());
  return result == 0 ? kNoTrouble : trouble("setgroups");
}

Trouble setGidAlone(const Identity& identity) {
  const long result = syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid);
  return result == 0 ? kNoTrouble : trouble("setresgid");
}

Trouble setUidAlone(const Identity& identity) {
  const long result = syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid);
  return result == 0 ? kNoTrouble : trouble("setresuid");
}

Trouble refuseNewPrivileges() {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? kNoTrouble : trouble("prctl");
}

static Trouble proveIds(const Identity& identity) {
  uid_t uids[3] = {0, 0, 0};
  if (getresuid(&uids[0], &uids[1], &uids[2]) != 0) return trouble("getresuid");
  gid_t gids[3] = {0, 0, 0};
  if (getresgid(&gids[0], &gids[1], &gids[2]) != 0) return trouble("getresgid");
  for (int i = 0; i < 3; i++) {
    if (uids[i] != identity.uid) return stillPowerful("getresuid");
    if (gids[i] != identity.gid) return stillPowerful("getresgid");
  }
  // Called with an impossible id these change nothing and return the present one.
  if (setfsuid(kUnchanged) != static_cast<int>(identity.uid)) return stillPowerful("setfsuid");
  if (setfsgid(kUnchanged) != static_cast<int>(identity.gid)) return stillPowerful("setfsgid");
  return kNoTrouble;
}

static Trouble proveGroups(Identity& identity) {
  const int count = getgroups(static_cast<int>(identity.seen.size()), identity.seen.data());
  // There is room for one more than wanted: EINVAL means that there are still more.
  if (count < 0) return trouble("getgroups");
  if (static_cast<size_t>(count) != identity.groups.size()) return stillPowerful("getgroups");
  for (int i = 0; i < count; i++) {
    if (!std::binary_search(identity.groups.begin(), identity.groups.end(), identity.seen[i])) {
      return stillPowerful("getgroups");
    }
  }
  return kNoTrouble;
}

static Trouble proveNoCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return trouble("capget");
  for (const auto& set : sets) {
    if ((set.effective | set.permitted | set.inheritable) != 0) return stillPowerful("capget");
  }
  return kNoTrouble;
}

/** An attempt to go back must fail with EPERM; any other end, success above all, is no proof. */
static bool refused(long result) { return result == -1 && errno == EPERM; }

static Trouble proveNoWayBack() {
  const gid_t root = 0;
  if (!refused(syscall(SYS_setuid, 0))) return stillPowerful("setuid");
  if (!refused(syscall(SYS_setresuid, kUnchanged, 0, kUnchanged))) return stillPowerful("seteuid");
  if (!refused(syscall(SYS_setgid, 0))) return stillPowerful("setgid");
  if (!refused(syscall(SYS_setresgid, kUnchanged, 0, kUnchanged))) return stillPowerful("setegid");
  if (!refused(syscall(SYS_setgroups, 1, &root))) return stillPowerful("setgroups");
  return kNoTrouble;
}

Trouble prove(Identity& identity) {
  Trouble found = proveIds(identity);
  if (found.error == 0) found = proveGroups(identity);
  if (found.error == 0) found = proveNoCapabilities();
  if (found.error == 0) found = proveNoWayBack();
  return found;
}

Napi::Value failureOf(Napi::Env env, const char* step, const Trouble& trouble) {
  Napi::Object failure = Napi::Object::New(env);
  failure.Set("step", step);
  failure.Set("syscall", trouble.syscall);
  failure.Set("errno", trouble.error);
  return failure;
}
