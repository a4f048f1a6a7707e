// Starts a program under an identity: the parent's side. Runs in the master as root. It takes every number
// from the caller, who takes them from the configuration; it looks at no message.
#ifndef GUISE_LAUNCH_H
#define GUISE_LAUNCH_H

#include <napi.h>

void registerLaunch(Napi::Env env, Napi::Object exports);

#endif
