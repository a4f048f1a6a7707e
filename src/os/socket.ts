/**
 * Sockets as plain descriptors. What runs once per request (accept, receive, send, messages, shutdown,
 * close, memfd, tmpfile) takes numbers and returns numbers: a negative result is the error number with its sign
 * turned round, and nothing is thrown, since EAGAIN and a peer's faults are ordinary there. What runs at start
 * throws GuiseError SYSCALL_FAILED.
 *
 * Every descriptor made here is close-on-exec.
 */
import { isIP } from 'node:net';
import { GuiseError } from '../error.js';
import { addon } from './addon.js';
import { errno } from './errno.js';
import { checked } from './syscall.js';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SHUT_WR = 1;
const SHUT_RDWR = 2;

/**
 * A non-blocking socket that listens on a path. The file is made with mode 0600, whatever the umask: the caller opens
 * it to those who may connect. An existing file is not removed: that is EADDRINUSE.
 */
export function listenUnix(path: string, backlog: number): number {
  const about = `Socket ${path}`;
  const fd = checked(addon.socket(AF_UNIX, SOCK_STREAM), 'socket', about);
  return listening(fd, addon.bindUnix(fd, path), backlog, about);
}

/** A non-blocking socket that listens on a numeric IPv4 or IPv6 address. Names are refused: nothing is looked up. */
export function listenTcp(host: string, port: number, backlog: number): number {
  const about = `Address ${host} port ${port}`;
  const version = isIP(host);
  if (version === 0) {
    const text = `${about}: expected a numeric address such as 127.0.0.1 or ::1`;
    throw new GuiseError('SYSCALL_FAILED', text, { syscall: 'bind', errno: errno.EINVAL });
  }
  const family = version === 6 ? AF_INET6 : AF_INET;
  const fd = checked(addon.socket(family, SOCK_STREAM), 'socket', about);
  return listening(fd, addon.bindInternet(fd, family, host, port), backlog, about);
}

function listening(fd: number, bound: number, backlog: number, about: string): number {
  try {
    checked(bound, 'bind', about);
    checked(addon.listen(fd, backlog), 'listen', about);
    return fd;
  } catch (thrown) {
    addon.close(fd);
    throw thrown;
  }
}

/**
 * A Unix stream socket that is neither bound nor connected. As descriptor 0 it tells php-cgi that it is a FastCGI
 * application: getpeername(2) must fail with ENOTCONN.
 */
export function unconnectedSocket(): number {
  return checked(addon.socket(AF_UNIX, SOCK_STREAM), 'socket', 'Unconnected socket');
}

const peer = new Int32Array(1);

/**
 * One waiting connection, non-blocking: accept4(2). `uid` is that of the process at the other end, by the kernel's
 * word, and -1 where there is none, as with TCP.
 */
export function accept(fd: number): { readonly fd: number; readonly uid: number } {
  const connection = addon.accept(fd, peer);
  const uid = peer[0] as number;
  return { fd: connection, uid: uid === -1 ? -1 : uid >>> 0 };
}

/** What has arrived, at most `length` bytes to `offset` of the buffer: recv(2). 0 means the peer has ended. */
export function receive(fd: number, buffer: Buffer, offset: number, length: number): number {
  return addon.receive(fd, buffer, offset, length);
}

/** How many of these bytes the kernel has taken: send(2), without SIGPIPE. */
export function send(fd: number, buffer: Buffer, offset: number, length: number): number {
  return addon.send(fd, buffer, offset, length);
}

/** Sends bytes with up to two descriptors (SCM_RIGHTS, unix(7)); a negative descriptor is left out. */
export function sendMessage(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  fd1: number,
  fd2: number,
): number {
  return addon.sendMessage(fd, buffer, offset, length, fd1, fd2);
}

/**
 * Receives one message with what came beside it: recvmsg(2). Returns its length; 0 means the peer has ended.
 *
 * `out` needs nine elements: [0] number of descriptors, [1] to [4] the descriptors, [5] pid, [6] uid and [7] gid
 * of the sender as the kernel knows it (all -1 without passCredentials), [8] 1 when the message was larger than the buffer or
 * carried more than four descriptors. Then all its descriptors have been closed, and [0] is 0.
 */
export function receiveMessage(fd: number, buffer: Buffer, out: Int32Array): number {
  return addon.receiveMessage(fd, buffer, out);
}

/** Two connected sockets that keep message boundaries, both non-blocking. */
export function seqpacketPair(): [number, number] {
  return pair(SOCK_SEQPACKET);
}

/** Two connected stream sockets, both non-blocking. */
export function streamPair(): [number, number] {
  return pair(SOCK_STREAM);
}

function pair(type: number): [number, number] {
  const out = new Int32Array(2);
  checked(addon.socketPair(type, out), 'socketpair', 'Socket pair');
  const [first = -1, second = -1] = out;
  return [first, second];
}

/** Belongs to the open file description: it changes for every process that has a copy. */
export function setBlocking(fd: number, blocking: boolean): void {
  checked(addon.setBlocking(fd, blocking), 'fcntl', `Descriptor ${fd}`);
}

/** From now on every message received here carries its sender's pid, uid and gid: SO_PASSCRED, unix(7). */
export function passCredentials(fd: number): void {
  checked(addon.passCredentials(fd), 'setsockopt', `Descriptor ${fd}`);
}

/** Who was at the other end when the connection was made: SO_PEERCRED, unix(7). */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  const out = new Int32Array(3);
  checked(addon.peerCredentials(fd, out), 'getsockopt', `Descriptor ${fd}`);
  const [pid = 0, uid = -1, gid = -1] = out;
  return { pid, uid: uid >>> 0, gid: gid >>> 0 };
}

/**
 * The uid that owns the other end of a TCP connection, which must be on this machine and still be held by a process:
 * sock_diag(7). Negative for everything that cannot be told for sure.
 */
export function tcpPeerUid(fd: number): number {
  return addon.tcpPeerUid(fd);
}

/** Ends the connection for every process that holds a copy of it: shutdown(2). */
export function shutdownBoth(fd: number): number {
  return addon.shutdown(fd, SHUT_RDWR);
}

export function shutdownWrite(fd: number): number {
  return addon.shutdown(fd, SHUT_WR);
}

/** shutdownBoth and close in one call. */
export function endConnection(fd: number): number {
  return addon.endConnection(fd);
}

/** To be taken off a poller first: see Poller.remove. */
export function close(fd: number): number {
  return addon.close(fd);
}

/** An anonymous file in memory: memfd_create(2). */
export function memfd(name: string): number {
  return addon.memfd(name);
}

/** An anonymous file of mode 0600 in a directory; it can never be given a name: O_TMPFILE, open(2). */
export function tmpfile(dir: string): number {
  return addon.tmpfile(dir);
}

/** Takes the exclusive lock of an open file without waiting: flock(2). False when somebody else holds it. */
export function lockFile(fd: number): boolean {
  const result = addon.lockFile(fd);
  if (result === -errno.EAGAIN) return false;
  checked(result, 'flock', `Descriptor ${fd}`);
  return true;
}
