// Calls on sockets that run at start: one system call each, put together in src/os/socket.ts.
#ifndef GUISE_SETUP_H
#define GUISE_SETUP_H

#include <napi.h>

void registerSetup(Napi::Env env, Napi::Object exports);

#endif
