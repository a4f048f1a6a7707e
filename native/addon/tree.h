// The processes below another one: who they are, and their end.
#ifndef GUISE_TREE_H
#define GUISE_TREE_H

#include <napi.h>

void registerTree(Napi::Env env, Napi::Object exports);

#endif
