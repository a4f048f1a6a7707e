// Who a process runs as: what it is to become, and the proof that it cannot go back.
//
// Everything declared here but readIdentity is async-signal-safe and allocates nothing, so it may be used
// between fork and exec. The functions that end in "Alone" use the bare system calls, which change the
// calling thread only.
#ifndef GUISE_CREDENTIALS_H
#define GUISE_CREDENTIALS_H

#include <napi.h>
#include <sys/types.h>

#include <vector>

/** Why something did not work: a system call and its error number. No error is 0. */
struct Trouble {
  const char* syscall;
  int error;
};

constexpr Trouble kNoTrouble = {"", 0};

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  /** Room for the proof to read back the groups, made beforehand: the proof must not allocate. */
  std::vector<gid_t> seen;
};

/**
 * Reads {uid, gid, groups}. Refuses (EPERM) the numbers of root, in the groups too, and (EINVAL) whatever is
 * not a user's number, such as -1, which setresuid(2) takes for "leave as it is".
 */
Trouble readIdentity(const Napi::Value& value, Identity* out);

Trouble setGroupsAlone(const Identity& identity);
Trouble setGidAlone(const Identity& identity);
Trouble setUidAlone(const Identity& identity);

/** no_new_privs, prctl(2): no program that this thread starts can gain privileges. */
Trouble refuseNewPrivileges();

/**
 * Proves that the calling thread is this identity and nothing more: ids, groups, no capability, and every way
 * back to root fails.
 */
Trouble prove(Identity& identity);

/** What the TypeScript side gets of a failure: {step, syscall, errno}. */
Napi::Value failureOf(Napi::Env env, const char* step, const Trouble& trouble);

#endif
