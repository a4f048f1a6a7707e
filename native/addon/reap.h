// Collects children that have ended.
#ifndef GUISE_REAP_H
#define GUISE_REAP_H

#include <napi.h>

void registerReap(Napi::Env env, Napi::Object exports);

#endif
