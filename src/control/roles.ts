/**
 * Who a caller on the control socket is. The kernel says which uid connects (SO_PEERCRED, unix(7)); everything else,
 * groups above all, is asked of the system at that moment, so that whoever has just lost a right has lost it here too.
 * A caller that fits no role gets nothing.
 */

import type { Config } from '../config/config.js';
import { groupByName, userByName, userByUid } from '../os/identity.js';
import type { MasterApi } from './api.js';
import type { Peer } from './peer.js';

/**
 * admin: root, the daemon's own user, members of the control group. status: the router's user, whom the status
 * application runs as. owner: the user of a site.
 */
export type Role = 'admin' | 'status' | 'owner';

export interface Caller {
  readonly role: Role;
  readonly uid: number;
}

/** What the master knows that decides over a caller. */
export interface RoleSources {
  config(): { readonly control: Config['control']; readonly router: Pick<Config['router'], 'user'> };
  isOwner: MasterApi['isOwner'];
}

/** Whether no question about groups or sites is needed to know that the caller may do everything. */
export function isRoot(peer: Peer): boolean {
  return peer.uid === 0 || peer.uid === process.geteuid?.();
}

export function roleOf(peer: Peer, sources: RoleSources): Role | undefined {
  const { control, router } = sources.config();
  if (isRoot(peer) || isMember(peer.uid, control.group)) return 'admin';
  if (userByName(router.user)?.uid === peer.uid) return 'status';
  return control.owners && sources.isOwner(peer.uid) ? 'owner' : undefined;
}

/** By the user and group databases alone: the peer's own gid may be one that he has lost since he logged in. */
function isMember(uid: number, group: string | undefined): boolean {
  const gid = group === undefined ? undefined : groupByName(group)?.gid;
  return gid !== undefined && (userByUid(uid)?.groups.includes(gid) ?? false);
}
