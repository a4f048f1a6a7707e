// File systems in memory that hold one site's temporary files. Only the master mounts, at places that root
// alone can write to.
#ifndef GUISE_MOUNT_H
#define GUISE_MOUNT_H

#include <napi.h>

void registerMount(Napi::Env env, Napi::Object exports);

#endif
