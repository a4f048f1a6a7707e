// Calls on sockets that run for every request: numbers in, a number out, negative for an error.
#ifndef GUISE_SOCKET_H
#define GUISE_SOCKET_H

#include <napi.h>

void registerSocket(Napi::Env env, Napi::Object exports);

#endif
