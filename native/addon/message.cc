#include "message.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bytes.h"

constexpr int kMostSent = 2;
constexpr int kMostReceived = 4;
// The kernel fills whatever room there is: without credentials their room is used for more descriptors.
constexpr size_t kControlSize = CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMostReceived * sizeof(int));

static napi_value sendMessage(napi_env env, napi_callback_info info) {
  const Arguments<6> args(env, info);
  Bytes from;
  if (!stretchOf(env, args.values[1], args.values[2], args.values[3], &from)) return numberOf(env, -EINVAL);
  int lent[kMostSent];
  size_t count = 0;
  for (int i = 0; i < kMostSent; i++) {
    const int fd = intOf(env, args.values[4 + i]);
    if (fd >= 0) lent[count++] = fd;
  }

  iovec part = {from.data, from.length};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(lent))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), lent, count * sizeof(int));
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(intOf(env, args.values[0]), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return numberOf(env, sent < 0 ? -errno : sent);
}

/** What came beside the bytes. All descriptors of a message that has too many are closed, never a part of
 * them. */
struct Beside {
  int descriptors[kControlSize / sizeof(int)];
  int count = 0;
  ucred sender = {-1, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
};

static void readBeside(msghdr* message, Beside* out) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    const size_t size = header->cmsg_len - CMSG_LEN(0);
    if (header->cmsg_type == SCM_RIGHTS) {
      memcpy(out->descriptors + out->count, CMSG_DATA(header), size);
      out->count += static_cast<int>(size / sizeof(int));
    } else if (header->cmsg_type == SCM_CREDENTIALS && size == sizeof(ucred)) {
      memcpy(&out->sender, CMSG_DATA(header), size);
    }
  }
}

static napi_value receiveMessage(napi_env env, napi_callback_info info) {
  const Arguments<3> args(env, info);
  void* data = nullptr;
  void* table = nullptr;
  size_t length = 0;
  size_t entries = 0;
  if (!arrayOf(env, args.values[1], napi_uint8_array, &data, &length) ||
      !arrayOf(env, args.values[2], napi_int32_array, &table, &entries) || entries < 9) {
    return numberOf(env, -EINVAL);
  }

  iovec part = {data, length};
  alignas(cmsghdr) char control[kControlSize];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t got = 0;
  do {
    got = recvmsg(intOf(env, args.values[0]), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return numberOf(env, -errno);

  Beside beside;
  readBeside(&message, &beside);
  const bool truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || beside.count > kMostReceived;
  if (truncated) {
    for (int i = 0; i < beside.count; i++) close(beside.descriptors[i]);
    beside.count = 0;
  }
  int32_t* out = static_cast<int32_t*>(table);
  out[0] = beside.count;
  for (int i = 0; i < kMostReceived; i++) out[1 + i] = i < beside.count ? beside.descriptors[i] : -1;
  out[5] = beside.sender.pid;
  out[6] = static_cast<int32_t>(beside.sender.uid);
  out[7] = static_cast<int32_t>(beside.sender.gid);
  out[8] = truncated ? 1 : 0;
  return numberOf(env, got);
}

void registerMessage(Napi::Env env, Napi::Object exports) {
  exportBare(env, exports, "sendMessage", sendMessage);
  exportBare(env, exports, "receiveMessage", receiveMessage);
}
