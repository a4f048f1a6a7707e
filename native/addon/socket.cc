#include "socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "bytes.h"

/** Repeats a call that a signal has interrupted; the result is negative for an error. */
template <typename Call>
static int64_t settled(Call call) {
  for (;;) {
    const int64_t result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

/** A socket that has no peer process, a TCP one for instance, has -1. */
static int64_t uidOfPeer(int fd) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  const int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return result != 0 || peer.uid == static_cast<uid_t>(-1) ? -1 : static_cast<int64_t>(peer.uid);
}

/** Every connection is asked who made it: the uid goes to the array, -1 where there is none. */
static napi_value acceptConnection(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  void* uid = nullptr;
  size_t length = 0;
  if (!arrayOf(env, args.values[1], napi_int32_array, &uid, &length) || length < 1) return numberOf(env, -EINVAL);
  const int listener = intOf(env, args.values[0]);
  const int64_t fd = settled([&] { return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
  if (fd >= 0) *static_cast<int32_t*>(uid) = static_cast<int32_t>(uidOfPeer(static_cast<int>(fd)));
  return numberOf(env, fd);
}

static napi_value receiveBytes(napi_env env, napi_callback_info info) {
  const Arguments<4> args(env, info);
  const int fd = intOf(env, args.values[0]);
  Bytes into;
  if (!stretchOf(env, args.values[1], args.values[2], args.values[3], &into)) return numberOf(env, -EINVAL);
  return numberOf(env, settled([&] { return recv(fd, into.data, into.length, MSG_DONTWAIT); }));
}

static napi_value sendBytes(napi_env env, napi_callback_info info) {
  const Arguments<4> args(env, info);
  const int fd = intOf(env, args.values[0]);
  Bytes from;
  if (!stretchOf(env, args.values[1], args.values[2], args.values[3], &from)) return numberOf(env, -EINVAL);
  return numberOf(env,
                  settled([&] { return send(fd, from.data, from.length, MSG_DONTWAIT | MSG_NOSIGNAL); }));
}

static napi_value shutdownSocket(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  const int result = shutdown(intOf(env, args.values[0]), intOf(env, args.values[1]));
  return numberOf(env, result == 0 ? 0 : -errno);
}

/** For everybody who holds a copy, then this one: two calls for each request that would be one after the other. */
static napi_value endConnection(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const int fd = intOf(env, args.values[0]);
  shutdown(fd, SHUT_RDWR);
  const int result = close(fd);
  return numberOf(env, result == 0 ? 0 : -errno);
}

/** Never repeated: Linux frees the number even when it reports EINTR, close(2). */
static napi_value closeDescriptor(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const int result = close(intOf(env, args.values[0]));
  return numberOf(env, result == 0 ? 0 : -errno);
}

void registerSocket(Napi::Env env, Napi::Object exports) {
  exportBare(env, exports, "accept", acceptConnection);
  exportBare(env, exports, "receive", receiveBytes);
  exportBare(env, exports, "send", sendBytes);
  exportBare(env, exports, "shutdown", shutdownSocket);
  exportBare(env, exports, "endConnection", endConnection);
  exportBare(env, exports, "close", closeDescriptor);
}
