// Messages that carry descriptors, and their sender's identity as the kernel knows it: unix(7). What a
// message says is not looked at here.
#ifndef GUISE_MESSAGE_H
#define GUISE_MESSAGE_H

#include <napi.h>

void registerMessage(Napi::Env env, Napi::Object exports);

#endif
