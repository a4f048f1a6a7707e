#include "become.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "credentials.h"

// The C library's own calls, not the bare ones: they change every thread of the process (nptl(7)).

static Trouble setGroupsEverywhere(Identity& identity) {
  const int result = setgroups(identity.groups.size(), identity.groups.data());
  return result == 0 ? kNoTrouble : Trouble{"setgroups", errno};
}

static Trouble setGidEverywhere(Identity& identity) {
  const int result = setresgid(identity.gid, identity.gid, identity.gid);
  return result == 0 ? kNoTrouble : Trouble{"setresgid", errno};
}

static Trouble setUidEverywhere(Identity& identity) {
  const int result = setresuid(identity.uid, identity.uid, identity.uid);
  return result == 0 ? kNoTrouble : Trouble{"setresuid", errno};
}

/** Leaving uid 0 has cleared the effective and permitted sets of each thread; this clears the rest of this
 * one. */
static Trouble dropCapabilities(Identity&) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return {"prctl", errno};
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capset, &header, none) == 0 ? kNoTrouble : Trouble{"capset", errno};
}

static Trouble refuse(Identity&) { return refuseNewPrivileges(); }

struct Step {
  const char* name;
  Trouble (*run)(Identity&);
};

constexpr Step kSteps[] = {
    {"groups", setGroupsEverywhere},    {"gid", setGidEverywhere}, {"uid", setUidEverywhere},
    {"capabilities", dropCapabilities}, {"no_new_privs", refuse},  {"proof", prove},
};

static Napi::Value becomeUser(const Napi::CallbackInfo& info) {
  Identity identity;
  Trouble trouble = readIdentity(info[0], &identity);
  if (trouble.error != 0) return failureOf(info.Env(), "identity", trouble);
  for (const Step& step : kSteps) {
    trouble = step.run(identity);
    if (trouble.error != 0) return failureOf(info.Env(), step.name, trouble);
  }
  return Napi::Number::New(info.Env(), 0);
}

void registerBecome(Napi::Env env, Napi::Object exports) {
  exports.Set("becomeUser", Napi::Function::New(env, becomeUser));
}
