/** Who connects to the control socket, in the kernel's words. */

import type { Socket } from 'node:net';
import { peerCredentials } from '../os/socket.js';

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The peer of a connection (SO_PEERCRED, unix(7)), or undefined where it has gone already. */
export function peerOf(fd: number): Peer | undefined {
  try {
    return peerCredentials(fd);
  } catch {
    return undefined;
  }
}

/** Node has no public name for the descriptor under a socket. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd: number } };
  return handle?.fd ?? -1;
}
