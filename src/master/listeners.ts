/**
 * The FastCGI sockets: made by root, handed to the router, opened to the web server's users only. A socket that a
 * dead daemon left behind is taken over; the lock on the run directory has shown that it is dead.
 *
 * Privilege: root. Nothing is accepted or read here.
 */

import { chmodSync, chownSync, rmSync } from 'node:fs';
import type { UserEntry } from '../os/identity.js';
import { close, listenUnix } from '../os/socket.js';

const backlog = 4096;

/** One user gets the socket as its own; several can only share a mode, and the router checks each peer's uid. */
export function openListener(path: string, webUsers: readonly UserEntry[]): number {
  rmSync(path, { force: true });
  const fd = listenUnix(path, backlog);
  try {
    const [only] = webUsers;
    if (webUsers.length === 1 && only !== undefined) {
      chownSync(path, only.uid, 0);
      chmodSync(path, 0o600);
    } else {
      chmodSync(path, 0o666);
    }
    return fd;
  } catch (thrown) {
    close(fd);
    throw thrown;
  }
}
