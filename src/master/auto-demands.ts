/** Workers for sites that are directories: the router asks, the directory's owner decides. Privilege: root. */

import type { Logger } from 'pino';
import { LineBudget } from '../account/line-budget.js';
import type { Config } from '../config/config.js';
import type { AutoDemand } from '../control/router-messages.js';
import { messageOf } from '../error.js';
import type { Site } from '../site/site.js';
import { automaticSite } from './auto-sites.js';
import { isAutomaticId, type SiteSet } from './site-set.js';

/** Lines in the log: names come from visitors. */
const refusalsPerSecond = 10;

export interface AutoSurroundings {
  config(): Config;
  /** So many workers are not given. */
  refuse(site: number, count: number): void;
}

export class AutoDemands {
  readonly #sites: SiteSet;
  readonly #log: Logger;
  readonly #around: AutoSurroundings;
  readonly #refusals = new LineBudget(refusalsPerSecond);

  constructor(sites: SiteSet, log: Logger, around: AutoSurroundings) {
    this.#sites = sites;
    this.#log = log;
    this.#around = around;
  }

  /** The only message with a text from outside: a directory's name, which automaticSite checks. */
  meet({ site, pattern, name, count, needed }: AutoDemand): void {
    const config = this.#around.config();
    const patterns = config.auto?.patterns;
    if (patterns === undefined || !isAutomaticId(site)) return;
    if (count === 0) this.#sites.byId(site)?.demand(0, 0);
    if (count === 0) return;
    try {
      const make = (): Site => automaticSite(config, patterns, { pattern, name });
      this.#sites.automatic(site, make).demand(count, Math.min(needed, count));
    } catch (thrown) {
      this.#around.refuse(site, count);
      const suppressed = this.#refusals.take(performance.now());
      if (suppressed !== undefined)
        this.#log.warn({ problem: messageOf(thrown), suppressed }, 'automatic site refused');
    }
  }
}
