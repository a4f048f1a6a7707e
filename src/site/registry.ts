/**
 * All sites of an instance. One bad file never stops the others: it is parked with its problems. Names are
 * unique over all sites; of two that claim one name the first by file name keeps it, so that adding a file
 * later can take nothing away from a site that runs, unless it sorts before it.
 */

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { errorCode } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { Claims } from './claims.js';
import { type Parked, readSiteFile, type SiteReading } from './read.js';
import type { Site } from './site.js';
import { SystemView } from './system-view.js';

export type { Parked } from './read.js';

export interface Registry {
  /** In the order of their files. */
  readonly sites: readonly Site[];
  readonly parked: readonly Parked[];
}

/** Sites before and after, as far as they are not the same. */
export interface SitesChanged {
  readonly before: readonly Site[];
  readonly after: readonly Site[];
  /** Files that were not parked before. */
  readonly parked: readonly Parked[];
}

type Exchanged = Pick<SitesChanged, 'before' | 'after'>;

/** Reads every `*.toml` in the directory of sites, in the order of file names. Throws CONFIG_UNREADABLE where that cannot be listed. */
export function readSites(config: Config): Registry {
  const { sites, parked } = SiteCatalog.read(config);
  return { sites, parked };
}

/** The same with a memory of who has which name and key, for whoever applies changes one by one. */
export class SiteCatalog implements Registry {
  #sites: readonly Site[] = [];
  #parked: readonly Parked[] = [];
  #claims = new Claims();

  /** @throws GuiseError CONFIG_UNREADABLE */
  static read(config: Config): SiteCatalog {
    const catalog = new SiteCatalog();
    const view = new SystemView();
    catalog.#register(siteFiles(config.paths.sites), (file) => readSiteFile(config, file, view));
    return catalog;
  }

  /** In the order of their files. Never changed: after a change this is another list. */
  get sites(): readonly Site[] {
    return this.#sites;
  }

  get parked(): readonly Parked[] {
    return this.#parked;
  }

  get claims(): Claims {
    return this.#claims;
  }

  /** The site with this name or alias, unless it is parked. */
  named(name: string): Site | undefined {
    return this.#claims.named(name);
  }

  /** The file of the site with this name, where there is one, parked or not. */
  fileOf(name: string): string | undefined {
    const site = this.#claims.named(name);
    if (site?.name === name) return site.file;
    return this.#parked.find((parked) => parked.name === name)?.file;
  }

  /**
   * Applies that the file of one site has appeared, changed or gone: the other sites stay the same objects, their
   * files are not opened, and the directory is not listed. Parked ones are read again, because a name may have
   * become free.
   *
   * @throws GuiseError CONFIG_UNREADABLE
   */
  reread(config: Config, name: string): SitesChanged {
    const before = new Set(this.#parked.map(({ file }) => file));
    const exchanged = this.#reread(config, name);
    return { ...exchanged, parked: this.#parked.filter(({ file }) => !before.has(file)) };
  }

  #reread(config: Config, name: string): Exchanged {
    const files = [...new Set([this.fileOf(name), join(config.paths.sites, `${name}.toml`)])].filter(
      (file) => file !== undefined,
    );
    const isKnown = this.fileOf(name) !== undefined || files.some(isThere);
    return (isKnown ? this.#exchange(config, files) : undefined) ?? this.#rereadAll(config, files);
  }

  /** Undefined, and nothing is changed, where another site would have to give up a name. */
  #exchange(config: Config, files: readonly string[]): Exchanged | undefined {
    const view = new SystemView();
    const before = files.flatMap((file) => this.#withFile(file) ?? []);
    const candidates = inOrder([...new Set([...files, ...this.#parked.map(({ file }) => file)])]);
    const after: Site[] = [];
    const parked: Parked[] = [];
    for (const site of before) this.#claims.remove(site);
    for (const file of candidates.filter(isThere)) {
      const reading = readSiteFile(config, file, view);
      if ('site' in reading && this.#claims.rivals(reading.site).some((rival) => mustYield(rival, file))) {
        for (const site of after) this.#claims.remove(site);
        for (const site of before) this.#claims.add(site);
        return undefined;
      }
      const standing = this.#standing(reading);
      if ('parked' in standing) parked.push(standing.parked);
      else after.push(this.#admit(standing.site));
    }
    const kept = this.#sites.filter((site) => !before.includes(site));
    for (const site of after) kept.splice(placeIn(kept, site.file), 0, site);
    this.#sites = kept;
    this.#parked = parked;
    return { before, after };
  }

  #rereadAll(config: Config, files: readonly string[]): Exchanged {
    const before = this.#sites;
    const kept = new Map(before.map((site) => [site.file, site]));
    for (const file of files) kept.delete(file);
    const view = new SystemView();
    this.#register(siteFiles(config.paths.sites), (file) => {
      const site = kept.get(file);
      return site === undefined ? readSiteFile(config, file, view) : { site };
    });
    return { before, after: this.#sites };
  }

  #register(files: readonly string[], read: (file: string) => SiteReading): void {
    const sites: Site[] = [];
    const parked: Parked[] = [];
    this.#claims = new Claims();
    for (const file of files) {
      const standing = this.#standing(read(file));
      if ('parked' in standing) parked.push(standing.parked);
      else sites.push(this.#admit(standing.site));
    }
    this.#sites = sites;
    this.#parked = parked;
  }

  /** A good site is parked too when it claims what an earlier one has. */
  #standing(reading: SiteReading): SiteReading {
    if ('parked' in reading) return reading;
    const { name, file } = reading.site;
    const problems = this.#claims.problems(reading.site);
    return problems.length === 0 ? reading : { parked: { name, file, problems } };
  }

  #admit(site: Site): Site {
    this.#claims.add(site);
    return site;
  }

  #withFile(file: string): Site | undefined {
    const site = this.#sites[placeIn(this.#sites, file)];
    return site?.file === file ? site : undefined;
  }
}

/** Where a site with this file stands or would stand. */
function placeIn(sites: readonly Site[], file: string): number {
  let low = 0;
  let high = sites.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isLater(file, sites[middle]?.file ?? '')) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of two that claim the same, the one with the later file; and whoever has no file any more. */
function mustYield(rival: Site, file: string): boolean {
  return isLater(rival.file, file) || !isThere(rival.file);
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** By name as bytes. */
function isLater(file: string, than: string): boolean {
  return Buffer.compare(Buffer.from(file), Buffer.from(than)) > 0;
}

function inOrder(files: readonly string[]): string[] {
  const bytes = new Map(files.map((file) => [file, Buffer.from(file)]));
  return [...bytes].sort(([, a], [, b]) => Buffer.compare(a, b)).map(([file]) => file);
}

/** The files that hold sites, sorted by name as bytes. Hidden files and editors' backups are not among them. */
export function siteFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.toml') && !name.startsWith('.'));
    return inOrder(names).map((name) => join(directory, name));
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
