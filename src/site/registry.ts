/**
 * All sites of an instance. One bad file never stops the others: it is parked with its problems. Names are
 * unique over all sites; of two that claim one name the first by file name keeps it, so that adding a file
 * later can take nothing away from a site that runs, unless it sorts before it.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { Claims } from './claims.js';
import type { LastGood } from './last-good.js';
import { ownText } from './own-text.js';
import { type Parked, readSiteFile, type SiteReading } from './read.js';
import type { Site } from './site.js';
import { inOrder, isLater, isThere, siteFiles } from './site-files.js';
import { SystemView } from './system-view.js';

export type { Parked } from './read.js';

export interface Registry {
  /** In the order of their files. */
  readonly sites: readonly Site[];
  /** Files that are wrong, and whose sites do not run. */
  readonly parked: readonly Parked[];
  /** Files that are wrong, and whose sites run on as they last were: they are among `sites`. Absent: none. */
  readonly kept?: readonly Parked[];
}

/** Sites before and after, as far as they are not the same. */
export interface SitesChanged {
  readonly before: readonly Site[];
  readonly after: readonly Site[];
  /** Files that were not parked before. */
  readonly parked: readonly Parked[];
  /** Files that were right, or not kept, before. */
  readonly kept: readonly Parked[];
}

type Exchanged = Pick<SitesChanged, 'before' | 'after'>;

/** What becomes of a file: neither `site` nor `wrong` is there for one that has gone. */
interface Standing {
  readonly file: string;
  /** What runs. */
  readonly site?: Site;
  /** What is wrong with the file: with a site beside it that one is kept, else it is parked. */
  readonly wrong?: Parked;
  /** What the file says, where it is right and has just been read. */
  readonly text?: string;
}

/** Reads every `*.toml` in the directory of sites, in the order of file names. Throws CONFIG_UNREADABLE where that cannot be listed. */
export function readSites(config: Config): Registry {
  const { sites, parked } = SiteCatalog.read(config);
  return { sites, parked };
}

/** The same with a memory of who has which name and key, for whoever applies changes one by one. */
export class SiteCatalog implements Registry {
  #sites: readonly Site[] = [];
  #parked: readonly Parked[] = [];
  #kept: readonly Parked[] = [];
  #claims = new Claims();
  readonly #past: LastGood | undefined;

  constructor(past?: LastGood) {
    this.#past = past;
  }

  /**
   * @param past what the files last said; brought up to date here and with every change. Without it every wrong file
   * is parked.
   * @throws GuiseError CONFIG_UNREADABLE
   */
  static read(config: Config, past?: LastGood): SiteCatalog {
    const catalog = new SiteCatalog(past);
    const view = new SystemView();
    catalog.#register(config, (file) => readSiteFile(config, file, view));
    return catalog;
  }

  /** In the order of their files. Never changed: after a change this is another list. */
  get sites(): readonly Site[] {
    return this.#sites;
  }

  get parked(): readonly Parked[] {
    return this.#parked;
  }

  get kept(): readonly Parked[] {
    return this.#kept;
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
   * files are not opened, and the directory is not listed. Wrong ones are read again, because a name may have
   * become free.
   *
   * @throws GuiseError CONFIG_UNREADABLE
   */
  reread(config: Config, name: string): SitesChanged {
    const [parked, kept] = [filesOf(this.#parked), filesOf(this.#kept)];
    const exchanged = this.#reread(config, name);
    return {
      ...exchanged,
      parked: this.#parked.filter(({ file }) => !parked.has(file)),
      kept: this.#kept.filter(({ file }) => !kept.has(file)),
    };
  }

  #reread(config: Config, name: string): Exchanged {
    const files = [this.fileOf(name), ownText(join(config.paths.sites, `${name}.toml`))].filter(
      (file) => file !== undefined,
    );
    const isKnown = this.fileOf(name) !== undefined || files.some(isThere);
    const wrong = [...this.#parked, ...this.#kept].map(({ file }) => file);
    const open = new Set([...files, ...wrong]);
    return (isKnown ? this.#exchange(config, open) : undefined) ?? this.#rereadAll(config, open);
  }

  /** Undefined, and nothing is changed, where another site would have to give up a name. */
  #exchange(config: Config, files: ReadonlySet<string>): Exchanged | undefined {
    const view = new SystemView();
    const before = [...files].flatMap((file) => this.#withFile(file) ?? []);
    const standings: Standing[] = [];
    for (const site of before) this.#claims.remove(site);
    for (const file of inOrder([...files])) {
      const standing = isThere(file)
        ? this.#standing(config, readSiteFile(config, file, view), (rival) => mustYield(rival, file))
        : { file };
      if (standing === undefined) {
        for (const { site } of standings) if (site !== undefined) this.#claims.remove(site);
        for (const site of before) this.#claims.add(site);
        return undefined;
      }
      standings.push(standing);
    }
    const after = this.#settle(standings);
    const sites = this.#sites.filter((site) => !before.includes(site));
    for (const site of after) sites.splice(placeIn(sites, site.file), 0, site);
    this.#sites = sites;
    return { before, after };
  }

  #rereadAll(config: Config, files: ReadonlySet<string>): Exchanged {
    const before = this.#sites;
    const same = new Map(before.filter(({ file }) => !files.has(file)).map((site) => [site.file, site]));
    const view = new SystemView();
    this.#register(config, (file) => {
      const site = same.get(file);
      return site === undefined ? readSiteFile(config, file, view) : { site };
    });
    return { before, after: this.#sites };
  }

  #register(config: Config, read: (file: string) => SiteReading): void {
    const files = siteFiles(config.paths.sites);
    this.#past?.keepOnly(files);
    this.#claims = new Claims();
    this.#sites = this.#settle(
      files.flatMap((file) => this.#standing(config, read(file), () => false) ?? []),
    );
  }

  /**
   * What the file says, or, where that is wrong in itself or beside earlier sites, what it last said. Its names are
   * taken. Undefined, and nothing is taken, where a site that must yield has one of them.
   */
  #standing(config: Config, reading: SiteReading, yields: (rival: Site) => boolean): Standing | undefined {
    const said = 'site' in reading ? this.#claims.rivals(reading.site) : [];
    if (said.some(yields)) return undefined;
    if ('site' in reading && said.length === 0) {
      const { site, text } = reading;
      this.#claims.add(site);
      return { file: site.file, site, ...(text === undefined ? {} : { text }) };
    }
    const wrong = 'parked' in reading ? reading.parked : this.#conflict(reading.site);
    const { file } = wrong;
    const last = this.#past?.find(config, file);
    if (last === undefined) return { file, wrong };
    const rivals = this.#claims.rivals(last);
    if (rivals.some(yields)) return undefined;
    if (rivals.length > 0) return { file, wrong };
    this.#claims.add(last);
    return { file, site: last, wrong: { ...wrong, name: last.name } };
  }

  /** A good site is wrong too when it claims what an earlier one has. */
  #conflict(site: Site): Parked {
    return { name: site.name, file: site.file, problems: this.#claims.problems(site) };
  }

  /** Remembers what the files say and what is wrong; returns the sites that run. */
  #settle(standings: readonly Standing[]): Site[] {
    for (const { file, site, wrong, text } of standings) {
      if (text !== undefined) this.#past?.remember(file, text);
      else if (site === undefined && wrong === undefined) this.#past?.forget(file);
    }
    this.#parked = standings.flatMap(({ site, wrong }) => (site === undefined ? (wrong ?? []) : []));
    this.#kept = standings.flatMap(({ site, wrong }) => (site === undefined ? [] : (wrong ?? [])));
    return standings.flatMap(({ site }) => site ?? []);
  }

  #withFile(file: string): Site | undefined {
    const site = this.#sites[placeIn(this.#sites, file)];
    return site?.file === file ? site : undefined;
  }
}

function filesOf(wrong: readonly Parked[]): ReadonlySet<string> {
  return new Set(wrong.map(({ file }) => file));
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
