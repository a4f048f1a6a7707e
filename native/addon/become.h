// The change of this whole process to another user, for good. Runs once, as root, before anything from
// outside is read. A failure half-way leaves the process in a mixed state: the caller must end it.
#ifndef GUISE_BECOME_H
#define GUISE_BECOME_H

#include <napi.h>

void registerBecome(Napi::Env env, Napi::Object exports);

#endif
