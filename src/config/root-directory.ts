/**
 * Whether a directory is root's alone, with every directory on the way to it: whoever can rename one of them puts
 * another one in its place, with sockets, keys or links of his own. What does not exist yet is made by the daemon, so
 * the way is looked at as far as it goes.
 */

import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { ownerName } from '../os/identity.js';
import type { Finding } from './problem.js';
import { formatMode, isTrustedOwner, quoteShell } from './toml-file.js';

export interface Tolerance {
  /**
   * Groups with a smaller number may write to directories on the way (not to the last one): /var/log is the group
   * syslog's on some systems. Absent: no group may.
   */
  readonly groupsBelow?: number;
}

/** As many as the kernel follows, path_resolution(7). */
const mostLinks = 40;
const sticky = 0o1000;

/**
 * @param path absolute
 * @returns what is wrong with the first part of the way that is not safe
 */
export function checkRootDirectory(path: string, tolerance: Tolerance = {}): Finding | undefined {
  const pending = ['', ...components(path)];
  let at = '';
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      at = parentOf(at);
      continue;
    }
    const next = name === '' ? '' : `${at}/${name}`;
    const stats = lstatSync(next || '/', { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (!isTrustedOwner(stats.uid)) return foreign(path, next || '/', stats);
    if (stats.isSymbolicLink() && ++links <= mostLinks) {
      const target = readlinkSync(next);
      pending.unshift(...components(target));
      if (target.startsWith('/')) at = '';
      continue;
    }
    at = next;
    if (!stats.isDirectory()) return noDirectory(path, at, stats);
    const isLast = pending.length === 0;
    if (isOpen(stats, isLast, isLast ? {} : tolerance)) return open(path, at || '/', stats);
  }
  return undefined;
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** In a sticky directory such as /tmp others cannot rename what is root's, and what comes next must be root's. */
function isOpen({ mode, gid }: Stats, isLast: boolean, { groupsBelow = 0 }: Tolerance): boolean {
  if (!isLast && (mode & sticky) !== 0) return false;
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid >= groupsBelow);
}

function about(path: string, part: string): string {
  return part === path ? path : `${part}, on the way to ${path},`;
}

function foreign(path: string, part: string, { uid }: Stats): Finding {
  return {
    message: `${about(path, part)} belongs to somebody who could put another in its place`,
    found: `owner ${ownerName(uid)}`,
    expected: 'owner root',
    remedy:
      part === path
        ? `chown -h root ${quoteShell(part)}`
        : "name another directory under [paths], one on whose way everything is root's, for example in /run or /var/lib",
  };
}

function open(path: string, part: string, { mode, gid }: Stats): Finding {
  const group = (mode & 0o002) === 0 ? `, group ${gid}` : '';
  return {
    message: `others than its owner may write to ${about(path, part).replace(/,$/, '')}`,
    found: `mode ${formatMode(mode)}${group}`,
    expected: 'mode 0755',
    remedy: `chmod go-w ${quoteShell(part)}`,
  };
}

function noDirectory(path: string, part: string, stats: Stats): Finding {
  return {
    message: `${about(path, part)} is no directory`,
    found: stats.isSymbolicLink() ? 'too many symbolic links' : 'a file',
    expected: 'a directory',
    remedy: `another path under [paths], or: mv ${quoteShell(part)} ${quoteShell(`${part}.old`)}`,
  };
}
