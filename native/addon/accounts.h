// The system's users and groups, through the C library and so through every source that nsswitch.conf(5)
// names.
#ifndef GUISE_ACCOUNTS_H
#define GUISE_ACCOUNTS_H

#include <napi.h>

void registerAccounts(Napi::Env env, Napi::Object exports);

#endif
