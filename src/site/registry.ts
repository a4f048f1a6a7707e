/**
 * All sites of an instance. One bad file never stops the others: it is parked with its problems. Names are
 * unique over all sites; of two that claim one name the first by file name keeps it, so that adding a file
 * later can take nothing away from a site that runs, unless it sorts before it.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { locateKeys, type Path, placeOf } from '../config/locate.js';
import type { Problem } from '../config/problem.js';
import { errorCode, readTomlFile } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { type Parked, readSiteFile, type SiteReading } from './read.js';
import type { Site } from './site.js';

export type { Parked } from './read.js';

export interface Registry {
  readonly sites: readonly Site[];
  readonly parked: readonly Parked[];
}

/** Reads every `*.toml` in the directory of sites, in the order of file names. Throws CONFIG_UNREADABLE where that cannot be listed. */
export function readSites(config: Config): Registry {
  return register(siteFiles(config.paths.sites), (file) => readSiteFile(config, file));
}

/**
 * The same after the file of one site has appeared, changed or gone: the other sites stay the same objects and
 * their files are not opened. Parked ones are read again, because a name may have become free.
 */
export function rereadSite(config: Config, before: Registry, name: string): Registry {
  const kept = new Map(before.sites.filter((site) => site.name !== name).map((site) => [site.file, site]));
  kept.delete(join(config.paths.sites, `${name}.toml`));
  return register(siteFiles(config.paths.sites), (file) => {
    const site = kept.get(file);
    return site === undefined ? readSiteFile(config, file) : { site };
  });
}

function register(files: readonly string[], read: (file: string) => SiteReading): Registry {
  const sites: Site[] = [];
  const parked: Parked[] = [];
  const owners = new Map<string, Site>();
  for (const file of files) {
    const reading = read(file);
    if ('parked' in reading) {
      parked.push(reading.parked);
      continue;
    }
    const { site } = reading;
    const problems = claims(site, owners);
    if (problems.length > 0) {
      parked.push({ name: site.name, file, problems });
      continue;
    }
    for (const { mark } of marksOf(site)) owners.set(mark, site);
    sites.push(site);
  }
  return { sites, parked };
}

/** The files that hold sites, sorted by name as bytes. Hidden files and editors' backups are not among them. */
export function siteFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.toml') && !name.startsWith('.'))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((name) => join(directory, name));
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return [];
    const remedy = errorCode(thrown) === 'EACCES' ? 'run this as root' : undefined;
    throw new GuiseError(
      'CONFIG_UNREADABLE',
      `the directory of sites ${directory} cannot be listed: ${messageOf(thrown)}`,
      { file: directory, ...(remedy === undefined ? {} : { remedy }) },
      thrown,
    );
  }
}

interface Mark {
  /** What no two sites may share: a name, or a key, told apart by a space that no name has. */
  readonly mark: string;
  readonly path: Path;
  readonly what: string;
}

/** Everything about a site that must be its own: names and aliases, by which it is addressed, and keys, which prove it. */
export function marksOf(site: Pick<Site, 'name' | 'aliases' | 'keys'>): Mark[] {
  return [
    { mark: site.name, path: ['name'], what: `the name ${JSON.stringify(site.name)}` },
    ...site.aliases.map((alias, index) => ({
      mark: alias,
      path: ['aliases', index],
      what: `the name ${JSON.stringify(alias)}`,
    })),
    ...site.keys.map((key, index) => ({
      mark: `key ${key}`,
      path: [index === 0 ? 'key' : 'old_keys'],
      what: 'the same key',
    })),
  ];
}

/** A problem for everything of the site that another one has already. */
export function claims(site: Site, owners: ReadonlyMap<string, Site>): Problem[] {
  const taken = marksOf(site).flatMap((mark) => {
    const owner = owners.get(mark.mark);
    return owner === undefined ? [] : [{ ...mark, owner }];
  });
  if (taken.length === 0) return [];
  // Read once more for the lines alone; the file was good a moment ago.
  const reading = readTomlFile(site.file);
  const places = 'toml' in reading ? reading.toml.places : locateKeys('');
  return taken.map(({ path, what, owner }) => ({
    file: site.file,
    line: placeOf(places, path).line,
    message: `another site has ${what} already`,
    found: `it is in ${owner.file} too`,
    expected: 'names, aliases and keys that no other site has',
    remedy: `change one of the two; until then ${owner.file} has it, being first by file name`,
  }));
}
