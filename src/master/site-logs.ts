/**
 * The log files of sites: opened here for the ledger, which owns no directory of theirs, and renamed when they are
 * full. They lie in a directory that only root can write, belong to root and are readable by the site's group; php.log
 * alone belongs to the site's user, because PHP writes it.
 *
 * Privilege: root. Nothing that is in the files is ever read here.
 */

import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import type { Config } from '../config/config.js';
import type { Site } from '../site/site.js';

/** The files by what they are called; the numbers of the first two are those of account/batch.ts. */
export const siteLogNames = { requests: 'requests.log', slow: 'slow.log', php: 'php.log' } as const;
export type SiteLogKind = keyof typeof siteLogNames;

const byNumber: Readonly<Record<number, SiteLogKind>> = { 1: 'requests', 2: 'slow' };

export function siteLogKind(number: number): SiteLogKind | undefined {
  return byNumber[number];
}

export function siteLogDirectory(config: Config, name: string): string {
  return `${config.paths.log}/sites/${name}`;
}

export class SiteLogs {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  /**
   * Opens one of the ledger's files for appending, made if it is missing. The descriptor is the caller's.
   *
   * @throws NodeJS.ErrnoException
   */
  open(site: Site, kind: SiteLogKind): number {
    const { gid } = site.user;
    const directory = siteLogDirectory(this.#config, site.name);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chownSync(directory, 0, gid);
    chmodSync(directory, 0o750);
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    const fd = openSync(`${directory}/${siteLogNames[kind]}`, flags, 0o600);
    fchownSync(fd, 0, gid);
    fchmodSync(fd, 0o640);
    return fd;
  }

  /**
   * Renames a file that has the size for it, and the older ones; the oldest goes. Whether it has been renamed.
   *
   * @param makeNext makes a file with the name that it is given, which takes the old one's place: for whoever opens it
   *   again and again, there is one at any moment
   */
  rotate(name: string, kind: SiteLogKind, makeNext?: (path: string) => void): boolean {
    const { fileBytes, keep } = this.#config.ledger;
    const path = `${siteLogDirectory(this.#config, name)}/${siteLogNames[kind]}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || stats.size < fileBytes) return false;
    rmSync(`${path}.${keep + 1}`, { force: true }); // one more was kept before a change of the configuration
    for (let n = keep; n > 1; n--) renameIfThere(`${path}.${n - 1}`, `${path}.${n}`);
    rmSync(`${path}.1`, { force: true });
    if (makeNext !== undefined) {
      makeNext(`${path}.new`);
      if (keep > 0) linkSync(path, `${path}.1`);
      renameSync(`${path}.new`, path);
    } else if (keep > 0) renameSync(path, `${path}.1`);
    else rmSync(path);
    return true;
  }
}

/**
 * Cuts a renamed php.log that has grown beyond twice its size: its beginning says what there is to say. It is the
 * user's own file, in a directory where he can put nothing else in its place. Whether it had grown so.
 */
export function cutPhpLog(config: Config, name: string): boolean {
  const { fileBytes, keep } = config.ledger;
  const path = `${siteLogDirectory(config, name)}/${siteLogNames.php}.1`;
  const stats = keep > 0 ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
  if (stats === undefined || stats.size <= 2 * fileBytes) return false;
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  ftruncateSync(fd, fileBytes);
  closeSync(fd);
  return true;
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}
