// Calls on processes by pidfd, and properties of this one.
#ifndef GUISE_PROCESS_H
#define GUISE_PROCESS_H

#include <napi.h>

void registerProcess(Napi::Env env, Napi::Object exports);

#endif
