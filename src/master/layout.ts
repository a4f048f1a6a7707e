/**
 * The directories that an instance lives in, and the preload library's public copy.
 *
 * Privilege: root. Everything is made inside directories that only root can write, and what a site's user owns is
 * never written by root again: so no symbolic link of a tenant is ever followed.
 */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import type { Config } from '../config/config.js';
import { checkRootDirectory, type Tolerance } from '../config/root-directory.js';
import { logTolerance } from '../config/system.js';
import { GuiseError } from '../error.js';
import { preloadLibrary, stackProgram } from '../os/addon.js';
import type { UserEntry } from '../os/identity.js';
import type { Site } from '../site/site.js';
import { sizeTmp } from './site-state.js';

export interface SiteDirectories {
  readonly tmp: string;
  readonly sessions: string;
  readonly phpLog: string;
  /** What the program of a site with a command writes to its standard error and output. */
  readonly programLog: string;
  readonly ini: string;
}

/** Makes run, state and log directories; returns the path of the preload library that site users can read. */
export function prepareInstance(config: Config, router: UserEntry): string {
  const { run, state, log } = config.paths;
  rootDirectory(run, 0o755);
  rootDirectory(`${run}/sites`, 0o755);
  rootDirectory(libraryDirectory(config), 0o755);
  rootDirectory(`${run}/php`, 0o755);
  rootDirectory(state, 0o755);
  rootDirectory(`${state}/sites`, 0o755);
  rootDirectory(log, 0o755, logTolerance(config));
  rootDirectory(`${log}/sites`, 0o755, logTolerance(config));
  ownedDirectory(spoolDirectory(config), router.uid, router.gid, 0o700);
  ownedDirectory(usageDirectory(config), router.uid, router.gid, 0o700);
  return copyPreloadLibrary(libraryDirectory(config));
}

/** Where the preload library lies that site users can read. */
export function libraryDirectory(config: Config): string {
  return `${config.paths.run}/lib`;
}

/** Where the router spools request bodies that are too large for memory. */
export function spoolDirectory(config: Config): string {
  return `${config.paths.state}/spool`;
}

/** Where the ledger keeps its sums. */
export function usageDirectory(config: Config): string {
  return `${config.paths.state}/usage`;
}

export function siteDirectories(config: Config, name: string): SiteDirectories {
  const { run, state, log } = config.paths;
  return {
    tmp: `${state}/sites/${name}/tmp`,
    sessions: `${state}/sites/${name}/sessions`,
    phpLog: `${log}/sites/${name}/php.log`,
    programLog: `${log}/sites/${name}/program.log`,
    ini: `${run}/php/${name}`,
  };
}

/** @throws GuiseError SYSCALL_FAILED when the site's tmp_size needs a file system that root may not mount */
export function prepareSite(config: Config, site: Site): SiteDirectories {
  const directories = siteDirectories(config, site.name);
  const { uid, gid } = site.user;
  ownedDirectory(`${config.paths.state}/sites/${site.name}`, 0, gid, 0o710);
  ownedDirectory(directories.tmp, uid, gid, 0o700);
  sizeTmp(directories.tmp, site);
  ownedDirectory(directories.sessions, uid, gid, 0o700);
  ownedDirectory(`${config.paths.log}/sites/${site.name}`, 0, gid, 0o750);
  ownedFile(site.command === undefined ? directories.phpLog : directories.programLog, uid, gid, 0o640);
  return directories;
}

/** PHP opens it for each message, by its name. */
export function makePhpLog(path: string, { user }: Site): void {
  ownedFile(path, user.uid, user.gid, 0o640);
}

/** Looked at once it is there: what was missing before may have been made by somebody else in between. */
function rootDirectory(path: string, mode: number, tolerance: Tolerance = {}): void {
  mkdirSync(path, { recursive: true, mode });
  const finding = checkRootDirectory(path, tolerance);
  if (finding !== undefined) {
    const { message, found, expected, remedy } = finding;
    throw new GuiseError('SETUP_FAILED', `${message}: found ${found}; expected ${expected}`, {
      file: path,
      remedy,
    });
  }
  chmodSync(path, mode);
}

/** Its parent belongs to root, so nobody can have put anything else in its place. */
function ownedDirectory(path: string, uid: number, gid: number, mode: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

function ownedFile(path: string, uid: number, gid: number, mode: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, mode);
  fchownSync(fd, uid, gid);
  fchmodSync(fd, mode);
  closeSync(fd);
}

/** What is installed may lie where site users cannot reach it; its content is in its name, so it never changes. */
function copyPreloadLibrary(directory: string): string {
  return copyFor(preloadLibrary(), `${directory}/guise-preload`, '.so', 0o755);
}

/** Run by site users, and not to be read by them: so nobody of theirs can look into it while it runs, ptrace(2). */
export function copyStackProgram(config: Config): string {
  return copyFor(stackProgram(), `${libraryDirectory(config)}/guise-php-stack`, '', 0o711);
}

function copyFor(installed: string, name: string, suffix: string, mode: number): string {
  const content = readFileSync(installed);
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const path = `${name}-${digest}${suffix}`;
  if (existsSync(path) && readFileSync(path).equals(content)) return path;
  writeFileSync(`${path}.new`, content, { mode });
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
  return path;
}
