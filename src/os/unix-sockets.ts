/**
 * Connections on a listening Unix socket as the kernel lists them: what can be seen of a program's work from outside.
 */

import { readFileSync } from 'node:fs';

export interface Connections {
  /** Made by a peer, and not yet accepted by anybody. */
  readonly waiting: number;
  /** Accepted, and not yet closed by whoever did. */
  readonly open: number;
}

/** State and inode; a connection that nobody has accepted has no inode. Source: unix_seq_show() of Linux. */
const line = /^[0-9a-f]+: [0-9A-F]{8} 00000000 [0-9A-F]{8} 0001 (0[1-4]) +(\d+) (.*)$/;

/**
 * What the kernel says of sockets that were accepted at this path, as it was when it was bound: a later name of the
 * file does not count. Whoever may bind a socket can put lines of his own into the list, by a path with a line break.
 */
export function connectionsIn(list: string, path: string): Connections {
  let waiting = 0;
  let open = 0;
  for (const text of list.split('\n')) {
    if (!text.endsWith(path)) continue;
    const [, state, inode, at] = line.exec(text) ?? [];
    if (at !== path) continue;
    if (state === '02' && inode === '0') waiting++;
    else if (state === '03') open++;
  }
  return { waiting, open };
}

export function connectionsAt(path: string): Connections {
  return connectionsIn(readFileSync('/proc/net/unix', 'latin1'), path);
}
