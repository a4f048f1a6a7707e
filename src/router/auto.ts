/**
 * The router's automatic sites: made when a request first means one, forgotten when the master has ended its last
 * process. The master has the last word on each: it looks at the directory's owner before anything runs.
 */

import type { RouterAuto } from '../control/router-messages.js';
import type { Head } from '../request/head.js';
import { type AutoMatch, type AutoPattern, autoSiteName, matchAuto, parseAutoPattern } from '../site/auto.js';
import { RoutedSite } from './routed-site.js';

/** Numbers of automatic sites are the router's to give, those below are the master's. */
const firstId = 0x8000_0000;

export class AutoSites {
  /** Stands for all of them where a key is looked up. */
  readonly group: RoutedSite;
  readonly #patterns: readonly AutoPattern[];
  readonly #settings: RouterAuto;
  readonly #byName = new Map<string, RoutedSite>();
  #lastId = firstId;

  constructor(settings: RouterAuto) {
    this.#settings = settings;
    this.#patterns = settings.roots.map(parseAutoPattern).filter((pattern) => pattern !== undefined);
    this.group = new RoutedSite(0, settings.site);
  }

  /** The site that the script lies in; `isNew` when it has just been made. */
  siteFor(head: Head): { site: RoutedSite; isNew: boolean } | undefined {
    const match = matchAuto(this.#patterns, head.scriptFilename ?? '');
    if (match === undefined) return undefined;
    const name = autoSiteName(match);
    const known = this.#byName.get(name);
    if (known !== undefined) return { site: known, isNew: false };
    const site = this.#create(name, match);
    this.#byName.set(name, site);
    return { site, isNew: true };
  }

  forget(site: RoutedSite): void {
    this.#byName.delete(site.name);
  }

  #create(name: string, match: AutoMatch): RoutedSite {
    this.#lastId = this.#lastId === 0xffff_ffff ? firstId + 1 : this.#lastId + 1;
    return new RoutedSite(this.#lastId, { ...this.#settings.site, name }, match);
  }
}
