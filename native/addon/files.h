// Files without a name, and locks.
#ifndef GUISE_FILES_H
#define GUISE_FILES_H

#include <napi.h>

void registerFiles(Napi::Env env, Napi::Object exports);

#endif
