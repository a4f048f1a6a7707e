/** Who may speak on the control socket. Decided from what the kernel says about the peer, before a byte is read. */

import { groupByName, userByUid } from '../os/identity.js';
import { peerCredentials } from '../os/socket.js';

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Root, the daemon's own user, and members of the control group, by primary or supplementary group. */
export function mayControl(peer: Peer, group: string | undefined): boolean {
  if (peer.uid === 0 || peer.uid === process.geteuid?.()) return true;
  const gid = group === undefined ? undefined : groupByName(group)?.gid;
  if (gid === undefined) return false;
  // The kernel tells the primary group only; the others are in the user database.
  return peer.gid === gid || (userByUid(peer.uid)?.groups.includes(gid) ?? false);
}

/** The peer of a connection (SO_PEERCRED, unix(7)), or undefined where it has gone already. */
export function peerOf(fd: number): Peer | undefined {
  try {
    return peerCredentials(fd);
  } catch {
    return undefined;
  }
}
