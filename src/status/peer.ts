/** Who may ask for the status: the web server's users, as the kernel knows them. */

import type { Socket } from 'node:net';
import { peerOf } from '../control/peer.js';

export function mayAsk(socket: Socket, uids: readonly number[]): boolean {
  const peer = peerOf(descriptorOf(socket));
  return peer !== undefined && uids.includes(peer.uid);
}

/** Node has no public name for the descriptor under a socket. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd: number } };
  return handle?.fd ?? -1;
}
