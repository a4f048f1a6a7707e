/**
 * Where a path leads, and who can change that. Root opens paths for a site's processes, and a site's user may put a
 * symbolic link in his own directories that leads to a neighbour: such a link may only lead to what is his.
 */

import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';

/** Who decides about a path: the site's user, and whom the site trusts beside root. */
export interface Walker {
  readonly uid: number;
  readonly trusted: readonly number[];
}

export interface Way {
  /** The path with every symbolic link resolved. */
  readonly real: string;
  /** The uid of what is there, and its mode: stat(2). */
  readonly owner: number;
  readonly mode: number;
  /** The first link on the way that somebody else than root and the trusted can replace. */
  readonly loose?: string;
  /** Directories on the way that hold a link, with their owners. */
  readonly holders: readonly { readonly path: string; readonly owner: number }[];
}

/** As many as the kernel follows, path_resolution(7). */
const mostLinks = 40;

/**
 * @param plain paths known to be no symbolic links; those on the way are added, the last one excepted
 * @throws what lstat(2) and its kin have to say: ENOENT, EACCES …; ELOOP after 40 links
 */
export function followWay(path: string, { trusted }: Walker, plain = new Set<string>()): Way {
  const holders: { path: string; owner: number }[] = [];
  let pending = components(path);
  let at = '';
  let loose: string | undefined;
  for (;;) {
    const name = pending.shift();
    if (name === undefined) break;
    if (name === '..') at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
    if (name === '..') continue;
    const next = `${at}/${name}`;
    if (plain.has(next) || !lstatSync(next).isSymbolicLink()) {
      at = next;
      if (pending.length > 0) plain.add(next);
      continue;
    }
    const holder = statSync(at || '/');
    if (holders.push({ path: at || '/', owner: holder.uid }) > mostLinks) throw tooManyLinks(path);
    if (loose === undefined && !isFirm(holder, trusted)) loose = next;
    const target = readlinkSync(next);
    pending = [...components(target), ...pending];
    if (target.startsWith('/')) at = '';
  }
  const real = at || '/';
  const { uid: owner, mode } = statSync(real);
  return { real, owner, mode, holders, ...(loose === undefined ? {} : { loose }) };
}

/** Whether it leads, for sure, to where root or the trusted wanted, or else to what belongs to the site's user. */
export function isHonest(way: Way, { uid }: Walker): boolean {
  return way.loose === undefined || way.owner === uid;
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Nobody but root and the trusted can replace what lies in this directory. */
function isFirm(directory: Stats, trusted: readonly number[]): boolean {
  return (directory.uid === 0 || trusted.includes(directory.uid)) && (directory.mode & 0o022) === 0;
}

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`ELOOP: too many symbolic links, ${path}`), { code: 'ELOOP' });
}
