/**
 * The FastCGI sockets: made by root, handed to the router, opened to the web server's users only. A socket that a
 * dead daemon left behind is taken over; the lock on the run directory has shown that it is dead.
 *
 * Privilege: root. Nothing is accepted or read here.
 */

import { chmodSync, chownSync, renameSync, rmSync } from 'node:fs';
import type { TcpAddress } from '../config/listen.js';
import { programAccess, socketAccess } from '../config/socket-file.js';
import type { UserEntry } from '../os/identity.js';
import { close, listenTcp, listenUnix } from '../os/socket.js';

const backlog = 4096;

/**
 * @param boundAt for a program's socket: where it is made; then it takes the place of whatever is at `path` without a
 * gap, and lets in nobody but the one web user
 */
export function openListener(path: string, webUsers: readonly UserEntry[], boundAt = path): number {
  const isProgram = boundAt !== path;
  rmSync(boundAt, { force: true });
  const fd = listenUnix(boundAt, backlog);
  try {
    const { uid, gid, mode } = isProgram ? programAccess(webUsers) : socketAccess(webUsers);
    chownSync(boundAt, uid, gid);
    chmodSync(boundAt, mode);
    if (boundAt !== path) renameSync(boundAt, path);
    return fd;
  } catch (thrown) {
    close(fd);
    throw thrown;
  }
}

/**
 * Where the router tells of running requests: open to all, for users of sites may ask about their own. The router looks
 * at each caller (control/door.ts).
 */
export function openRequestsListener(path: string): number {
  rmSync(path, { force: true });
  const fd = listenUnix(path, backlog);
  chmodSync(path, 0o666);
  return fd;
}

/** The sockets that all sites share: one with a path, and those with loopback addresses that were asked for. */
export interface SharedListeners {
  readonly unix: number;
  /** Not for FastCGI: see openRequestsListener. */
  readonly requests: number;
  readonly tcp: readonly number[];
}

/** @throws GuiseError SYSCALL_FAILED, naming the address, when one of them is taken; then none is left open */
export function openSharedListeners(
  path: string,
  addresses: readonly TcpAddress[],
  webUsers: readonly UserEntry[],
  requestsPath: string,
): SharedListeners {
  const tcp: number[] = [];
  try {
    for (const { host, port } of addresses) tcp.push(listenTcp(host, port, backlog));
    const unix = openListener(path, webUsers);
    tcp.push(unix);
    const requests = openRequestsListener(requestsPath);
    tcp.pop();
    return { unix, requests, tcp };
  } catch (thrown) {
    for (const fd of tcp) close(fd);
    throw thrown;
  }
}

export function closeSharedListeners({ unix, requests, tcp }: SharedListeners): void {
  for (const fd of [unix, requests, ...tcp]) close(fd);
}
