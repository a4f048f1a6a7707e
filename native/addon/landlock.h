// What a program and everything it starts may reach in the file system: Landlock, landlock(7). A rule set is
// made before the fork and enters into force in the child while that still is root, so that it needs no
// no_new_privs and setgid programs such as sendmail's keep working. It comes on top of file modes, never
// instead of them.
#ifndef GUISE_LANDLOCK_H
#define GUISE_LANDLOCK_H

#include <napi.h>

#include <string>

#include "credentials.h"

/**
 * Reads {read, write, devices}, three lists of absolute paths without symbolic links in them, and makes the
 * rule set of them. Everything that is not listed is denied. A path that does not exist is left out: that
 * takes away and gives nothing. For any other trouble `where` says at which path it was.
 */
Trouble makeRuleset(const Napi::Value& rules, int* ruleset, std::string* where);

/** Async-signal-safe. There is no way back for the calling thread, nor for what it starts. */
Trouble enterRuleset(int ruleset);

void registerLandlock(Napi::Env env, Napi::Object exports);

#endif
