// A TCP socket carries no credentials. But the peer's own socket is one of this machine's when both ends are,
// and the kernel tells who owns it: sock_diag(7) finds it by its addresses in one step, where /proc/net/tcp
// would list the whole table (5 ms on a large machine). Whatever cannot be told for sure is an error.

#include "tcp_peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bytes.h"

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

/** Asked once per connection, so the socket is kept. -1: there is none yet. */
static int diagnosis = -1;
static uint32_t lastSequence = 0;

static int forget(int error) {
  if (diagnosis >= 0) close(diagnosis);
  diagnosis = -1;
  return -error;
}

static bool putEnd(const sockaddr_storage& address, __be32 to[4], __be16* port) {
  if (address.ss_family == AF_INET) {
    const auto* end = reinterpret_cast<const sockaddr_in*>(&address);
    to[0] = end->sin_addr.s_addr;
    *port = end->sin_port;
    return true;
  }
  if (address.ss_family != AF_INET6) return false;
  const auto* end = reinterpret_cast<const sockaddr_in6*>(&address);
  memcpy(to, &end->sin6_addr, sizeof(end->sin6_addr));
  *port = end->sin6_port;
  return true;
}

/** The peer's socket has our two addresses the other way round. */
static int describePeer(int fd, inet_diag_req_v2* request) {
  sockaddr_storage ours = {};
  sockaddr_storage theirs = {};
  socklen_t size = sizeof(ours);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&ours), &size) != 0) return -errno;
  size = sizeof(theirs);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&theirs), &size) != 0) return -errno;
  *request = {};
  request->sdiag_family = static_cast<uint8_t>(ours.ss_family);
  request->sdiag_protocol = IPPROTO_TCP;
  request->idiag_states = UINT32_MAX;
  inet_diag_sockid& id = request->id;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (!putEnd(theirs, id.idiag_src, &id.idiag_sport)) return -EAFNOSUPPORT;
  if (!putEnd(ours, id.idiag_dst, &id.idiag_dport)) return -EAFNOSUPPORT;
  return 0;
}

/** The kernel answers within the call that asks, so there is nothing to wait for. */
static int ask(const Question& question, char* answer, size_t size) {
  if (diagnosis < 0) diagnosis = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (diagnosis < 0) return -errno;
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  if (sendto(diagnosis, &question, sizeof(question), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel)) <
      0) {
    return forget(errno);
  }
  sockaddr_nl from = {};
  socklen_t fromSize = sizeof(from);
  const ssize_t length =
      recvfrom(diagnosis, answer, size, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &fromSize);
  if (length < 0) return forget(errno);
  return from.nl_pid == 0 ? static_cast<int>(length) : forget(EPROTO);
}

static int64_t readAnswer(const char* answer, size_t length) {
  nlmsghdr header;
  if (length < sizeof(header)) return forget(EPROTO);
  memcpy(&header, answer, sizeof(header));
  if (header.nlmsg_seq != lastSequence || header.nlmsg_len > length) return forget(EPROTO);
  if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr))) {
    nlmsgerr error;
    memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
    return error.error < 0 ? error.error : -EPROTO;
  }
  inet_diag_msg peer;
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < NLMSG_LENGTH(sizeof(peer))) {
    return forget(EPROTO);
  }
  memcpy(&peer, answer + NLMSG_HDRLEN, sizeof(peer));
  // A socket that its process has closed belongs to nobody any more, which the kernel calls uid 0.
  if (peer.idiag_state != TCP_ESTABLISHED || peer.idiag_inode == 0) return -ENOTCONN;
  return peer.idiag_uid;
}

static int64_t uidOfPeer(int fd) {
  Question question = {};
  const int problem = describePeer(fd, &question.request);
  if (problem < 0) return problem;
  question.header.nlmsg_len = sizeof(question);
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.header.nlmsg_seq = ++lastSequence;
  alignas(nlmsghdr) char answer[1024];
  const int length = ask(question, answer, sizeof(answer));
  if (length < 0) return length;
  const int64_t uid = readAnswer(answer, static_cast<size_t>(length));
  // A peer that broke off could have left its address to somebody else in the meantime. As long as our end is
  // connected nobody else can have it.
  sockaddr_storage again = {};
  socklen_t size = sizeof(again);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&again), &size) != 0) return -errno;
  return uid;
}

static napi_value tcpPeerUid(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  return numberOf(env, uidOfPeer(intOf(env, args.values[0])));
}

void registerTcpPeer(Napi::Env env, Napi::Object exports) {
  exportBare(env, exports, "tcpPeerUid", tcpPeerUid);
}
