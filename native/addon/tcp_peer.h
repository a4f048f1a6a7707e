// Who is at the other end of a TCP connection on this machine.
#ifndef GUISE_TCP_PEER_H
#define GUISE_TCP_PEER_H

#include <napi.h>

void registerTcpPeer(Napi::Env env, Napi::Object exports);

#endif
