/**
 * Who may ask for the status: the web server's users, as the kernel knows them, with the key that stands in the
 * administrator's configuration. A web server also speaks for tenants, whose .htaccess may name any socket.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
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

/** Takes as long for any key that is given. */
export function isKey(given: string | undefined, key: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return key !== '' && timingSafeEqual(digest(given ?? ''), digest(key));
}
