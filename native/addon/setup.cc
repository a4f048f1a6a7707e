#include "setup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "bytes.h"
#include "values.h"

static Napi::Value makeSocket(const Napi::CallbackInfo& info) {
  const int type = readInt(info, 1) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return resultOf(info.Env(), socket(readInt(info, 0), type, 0));
}

static Napi::Value bindUnix(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = readInt(info, 0);
  std::string path;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // An empty path would be given a name by the kernel, one that starts with NUL lies in no directory.
  if (!readText(info[1], &path) || path.empty()) return Napi::Number::New(env, -EINVAL);
  if (path.size() >= sizeof(address.sun_path)) return Napi::Number::New(env, -ENAMETOOLONG);
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  // Linux makes the file with the mode of the socket, so that there is no moment in which others could
  // connect.
  if (fchmod(fd, 0600) != 0) return resultOf(env, -1);
  return resultOf(env, bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
}

static Napi::Value bindInternet(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = readInt(info, 0);
  const int family = readInt(info, 1);
  int64_t port = 0;
  std::string host;
  if (!readText(info[2], &host) || !readInteger(info[3], 0, 65535, &port)) {
    return Napi::Number::New(env, -EINVAL);
  }
  const int on = 1;
  // Connections left over from before a restart must not be in the way. Accepted sockets inherit TCP_NODELAY.
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) return resultOf(env, -1);
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) return resultOf(env, -1);

  if (family == AF_INET6) {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<uint16_t>(port));
    if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return Napi::Number::New(env, -EINVAL);
    return resultOf(env, bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  }
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return Napi::Number::New(env, -EINVAL);
  return resultOf(env, bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
}

static Napi::Value listenOn(const Napi::CallbackInfo& info) {
  return resultOf(info.Env(), listen(readInt(info, 0), readInt(info, 1)));
}

/** The elements of an Int32Array argument, or null when it is none or too short. */
static int32_t* tableOf(const Napi::CallbackInfo& info, size_t index, size_t least) {
  void* data = nullptr;
  size_t entries = 0;
  if (!arrayOf(info.Env(), info[index], napi_int32_array, &data, &entries) || entries < least) return nullptr;
  return static_cast<int32_t*>(data);
}

static Napi::Value makePair(const Napi::CallbackInfo& info) {
  int32_t* out = tableOf(info, 1, 2);
  if (out == nullptr) return Napi::Number::New(info.Env(), -EINVAL);
  return resultOf(info.Env(), socketpair(AF_UNIX, readInt(info, 0) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, out));
}

static Napi::Value setBlocking(const Napi::CallbackInfo& info) {
  const int fd = readInt(info, 0);
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return resultOf(info.Env(), -1);
  const bool blocking = info[1].ToBoolean().Value();
  return resultOf(info.Env(), fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

static Napi::Value passCredentials(const Napi::CallbackInfo& info) {
  const int on = 1;
  return resultOf(info.Env(), setsockopt(readInt(info, 0), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
}

/** peerCredentials(fd, out): pid, uid, gid. */
static Napi::Value peerCredentials(const Napi::CallbackInfo& info) {
  int32_t* out = tableOf(info, 1, 3);
  if (out == nullptr) return Napi::Number::New(info.Env(), -EINVAL);
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(readInt(info, 0), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return resultOf(info.Env(), -1);
  out[0] = peer.pid;
  out[1] = static_cast<int32_t>(peer.uid);
  out[2] = static_cast<int32_t>(peer.gid);
  return Napi::Number::New(info.Env(), 0);
}

void registerSetup(Napi::Env env, Napi::Object exports) {
  exports.Set("socket", Napi::Function::New(env, makeSocket));
  exports.Set("bindUnix", Napi::Function::New(env, bindUnix));
  exports.Set("bindInternet", Napi::Function::New(env, bindInternet));
  exports.Set("listen", Napi::Function::New(env, listenOn));
  exports.Set("socketPair", Napi::Function::New(env, makePair));
  exports.Set("setBlocking", Napi::Function::New(env, setBlocking));
  exports.Set("passCredentials", Napi::Function::New(env, passCredentials));
  exports.Set("peerCredentials", Napi::Function::New(env, peerCredentials));
}
