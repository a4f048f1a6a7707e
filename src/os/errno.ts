import { constants } from 'node:os';

/** The failures that guise tells apart, with Linux's numbers (errno(3)); the same on x86 and on Arm. */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  EPROTO: 71,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ETOOMANYREFS: 109,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EDQUOT: 122,
} as const;

const names = new Map<number, string>(Object.entries(constants.errno).map(([name, n]) => [n, name]));
// Some numbers have two names, for instance EAGAIN and EWOULDBLOCK: the names above win.
for (const [name, n] of Object.entries(errno)) names.set(n, name);

/** The symbolic name of an error number, positive or negative: 'EAGAIN'. An unknown one reads 'errno 4095'. */
export function errnoName(n: number): string {
  const positive = Math.abs(n);
  return names.get(positive) ?? `errno ${positive}`;
}

/** What a site's process that cannot be made lacks, as far as the number tells: fork(2), execve(2). Else nothing. */
export function forkHint(number: number): string {
  return Math.abs(number) === errno.EAGAIN ? ': the user has as many processes as limits.nproc allows' : '';
}
