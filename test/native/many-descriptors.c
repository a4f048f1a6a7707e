/*
 * Sends one message with as many copies of a descriptor as it is told to. Run as
 * many-descriptors COUNT with a SOCK_SEQPACKET socket as descriptor 3.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { MOST = 253 };

int main(int argc, char **argv) {
  size_t count = argc == 2 ? (size_t)atoi(argv[1]) : 0;
  if (count < 1 || count > MOST) return 2;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(MOST * sizeof(int))] = {0};
  char byte = 'x';
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  for (size_t i = 0; i < count; i++) memcpy(CMSG_DATA(header) + i * sizeof(int), &(int){2}, sizeof(int));
  return sendmsg(3, &message, 0) == 1 ? 0 : 1;
}
