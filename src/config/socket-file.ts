/**
 * Whom a FastCGI socket lets in: its owner and mode follow from the web server's users alone. The master gives every
 * socket what is said here, and `guise check` and `guise explain` look whether it is still so.
 */

import { statSync } from 'node:fs';
import type { UserEntry } from '../os/identity.js';
import type { Finding } from './problem.js';
import { formatMode, quoteShell } from './toml-file.js';

export interface SocketAccess {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * One user gets the socket as its own. Several have no group in common that nobody else is in, so everybody may
 * connect, and the router turns away who is none of them by the uid that the kernel tells.
 */
export function socketAccess(webUsers: readonly UserEntry[]): SocketAccess {
  const [only] = webUsers;
  return webUsers.length === 1 && only !== undefined
    ? { uid: only.uid, gid: 0, mode: 0o600 }
    : { uid: 0, gid: 0, mode: 0o666 };
}

/**
 * Behind a site's own program nobody looks at the peer's uid, so the file itself must keep others out: it is the one
 * web user's that is not root, who needs no permission; where there are several it is nobody's.
 */
export function programAccess(webUsers: readonly UserEntry[]): SocketAccess {
  const [only, ...more] = webUsers.filter(({ uid }) => uid !== 0);
  return { uid: only !== undefined && more.length === 0 ? only.uid : 0, gid: 0, mode: 0o600 };
}

/** What is not as it should be with the socket of a running daemon. */
export function checkSocketFile(
  path: string,
  webUsers: readonly UserEntry[],
  access = socketAccess(webUsers),
): Finding | undefined {
  const { uid, gid, mode } = access;
  const word = quoteShell(path);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isSocket() !== true) {
    return {
      message: `${path} is no socket`,
      found: stats === undefined ? 'nothing there' : `mode ${formatMode(stats.mode)}`,
      expected: 'the socket that the daemon made at its start',
      remedy: 'guise stop, and start it again',
    };
  }
  if (stats.uid !== uid || stats.gid !== gid) {
    return {
      message: `the socket ${path} belongs to somebody else`,
      found: `owner uid ${stats.uid}, gid ${stats.gid}`,
      expected: `owner uid ${uid}, gid ${gid}`,
      remedy: `chown ${uid}:${gid} ${word}`,
    };
  }
  if ((stats.mode & 0o777) === mode) return undefined;
  return {
    message: `the socket ${path} has another mode than the daemon gave it`,
    found: `mode ${formatMode(stats.mode)}`,
    expected: `mode ${formatMode(mode)}`,
    remedy: `chmod ${formatMode(mode)} ${word}`,
  };
}
