/**
 * Adds, changes and removes the file of a site. Nothing is written before it has passed the checks that the
 * daemon makes, and what is written is complete or not there at all: a new file, fsync, then link or rename.
 */

import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import { formatFinding, type Problem } from '../config/problem.js';
import { errorCode, readTomlFile } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { changeKeys, composeSite, type Table } from './compose.js';
import { makeKey, rotate } from './key.js';
import { checkSiteText } from './read.js';
import { SiteCatalog } from './registry.js';
import { isSiteName, type SiteFile, siteSchema } from './schema.js';
import { setDotted, unsetDotted } from './settings.js';
import type { Site } from './site.js';

export interface SiteChanges {
  /** Dotted keys with their values as TOML has them: `max_workers`, `env.APP_ENV`. */
  readonly set: Table;
  /** Dotted keys to remove. */
  readonly unset: readonly string[];
  /** Make a new key; the old one is accepted so long. */
  readonly rotateKey?: { readonly graceMs: number };
}

export const switchedOn: SiteChanges = { set: {}, unset: ['enabled'] };
export const switchedOff: SiteChanges = { set: { enabled: false }, unset: [] };

/**
 * Writes the file of a new site and makes its key. Throws SITE_EXISTS or SITE_INVALID and then has written nothing.
 *
 * @param known the sites as a daemon knows them, so that no other file need be opened. It may be older than the
 * files: that is enough to agree, and before anything is refused for another site's sake all files are read.
 */
export function addSite(config: Config, table: Table, known?: SiteCatalog): Site {
  const name = typeof table.name === 'string' ? table.name.toLowerCase() : '';
  const file = join(config.paths.sites, isSiteName(name) ? `${name}.toml` : 'new.toml');
  const catalog = known?.fileOf(name) === undefined ? known : undefined;
  const others = catalog ?? SiteCatalog.read(config);
  const present = others.fileOf(name);
  if (present !== undefined) throw exists(name, present);
  const text = composeSite(
    // Nobody asks a program's visitors for a key.
    table.command === undefined ? { ...table, key: table.key ?? makeKey() } : table,
  );
  const site = demand(config, file, text, others);
  mkdirSync(config.paths.sites, { recursive: true, mode: 0o755 });
  replace(file, text, 'new');
  return site;
}

/**
 * Changes the file of a site. Throws SITE_UNKNOWN or SITE_INVALID and then has written nothing.
 *
 * @param known as for `addSite`
 */
export function changeSite(config: Config, name: string, changes: SiteChanges, known?: SiteCatalog): Site {
  const { file, catalog } = demandFile(config, name, known);
  const reading = readTomlFile(file);
  if ('problem' in reading) throw new GuiseError('SITE_INVALID', formatFinding(reading.problem), { file });
  const { raw, text: before } = reading.toml;
  const wanted = unsetDotted(setDotted(raw, changes.set), changes.unset);
  if (changes.rotateKey !== undefined) Object.assign(wanted, rotated(wanted, changes.rotateKey.graceMs));
  const text = changeKeys(before, difference(raw, wanted));
  const site = demand(config, file, text, catalog);
  replace(file, text, 'changed');
  return site;
}

/**
 * Removes the file of a site, parked or not, and answers with its path. Throws SITE_UNKNOWN.
 *
 * @param known as for `addSite`
 */
export function removeSite(config: Config, name: string, known?: SiteCatalog): string {
  const { file } = demandFile(config, name, known);
  try {
    unlinkSync(file);
    syncDirectory(dirname(file));
  } catch (thrown) {
    throw cannotWrite(file, thrown);
  }
  return file;
}

/** The top-level keys that are not the same in both, with their new values; undefined: gone. */
function difference(before: Table, after: Table): Table {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key]));
  return Object.fromEntries(changed.map((key) => [key, after[key]]));
}

function rotated(raw: Table, graceMs: number): Table {
  const shape = siteSchema
    .pick({ key: true, old_keys: true })
    .safeParse({ key: raw.key, old_keys: raw.old_keys ?? [] });
  const current: Pick<SiteFile, 'key' | 'old_keys'> = shape.success ? shape.data : {};
  const { key, old_keys } = rotate(current.key, current.old_keys ?? [], graceMs, Date.now());
  return { key, old_keys: old_keys.length === 0 ? undefined : old_keys };
}

interface Found {
  readonly file: string;
  readonly catalog: SiteCatalog;
}

function demandFile(config: Config, name: string, known: SiteCatalog | undefined): Found {
  const remembered = known?.fileOf(name);
  if (known !== undefined && remembered !== undefined && existsSync(remembered))
    return { file: remembered, catalog: known };
  const catalog = SiteCatalog.read(config);
  const file = catalog.fileOf(name);
  if (file !== undefined) return { file, catalog };
  const alias = catalog.named(name);
  throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(name)}`, {
    remedy:
      alias === undefined
        ? 'guise site list   (shows those that there are)'
        : `it is an alias of ${alias.name}`,
  });
}

/** The site that the text describes, or SITE_INVALID with all that is wrong. */
function demand(config: Config, file: string, text: string, others: SiteCatalog): Site {
  const reading = checkSiteText(config, file, text);
  if ('parked' in reading) throw invalid(reading.parked.problems, file);
  const { site } = reading;
  if (others.claims.rivals(site).length === 0) return site;
  const taken = SiteCatalog.read(config).claims.problems(site);
  if (taken.length > 0) throw invalid(taken, file);
  return site;
}

function invalid(problems: readonly Problem[], file: string): GuiseError {
  const text = problems.map(formatFinding).join('\n');
  return new GuiseError('SITE_INVALID', `the site cannot be used, and nothing was written:\n${text}`, {
    file,
  });
}

function exists(name: string, file: string): GuiseError {
  const remedy = `guise site show ${name}; guise site set ${name} … changes it; guise site remove ${name} removes it`;
  return new GuiseError('SITE_EXISTS', `there is a site ${name} already`, { file, remedy });
}

/** `new` never replaces a file: link(2) fails where one is. */
function replace(file: string, text: string, kind: 'new' | 'changed'): void {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.new`);
  try {
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      if (kind === 'changed') keepRights(fd, statSync(file));
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (kind === 'new') linkSync(temporary, file);
    else renameSync(temporary, file);
    syncDirectory(dirname(file));
  } catch (thrown) {
    if (errorCode(thrown) === 'EEXIST') throw exists(basename(file, '.toml'), file);
    throw cannotWrite(file, thrown);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A changed file keeps the group that may read it, but never more than reading. */
function keepRights(fd: number, before: Stats): void {
  fchownSync(fd, before.uid, before.gid);
  fchmodSync(fd, before.mode & 0o640);
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function cannotWrite(file: string, thrown: unknown): GuiseError {
  const denied = errorCode(thrown) === 'EACCES' || errorCode(thrown) === 'EPERM';
  return new GuiseError(
    denied ? 'NOT_PERMITTED' : 'SYSCALL_FAILED',
    `${file} cannot be written: ${messageOf(thrown)}`,
    { file, ...(denied ? { remedy: 'run this as root' } : {}) },
    thrown,
  );
}
