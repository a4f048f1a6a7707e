/**
 * Keeps php.log of sites from growing without bound: PHP writes it itself, so its size is looked at while a site has
 * processes. An idle machine has no timer. Privilege: root, in a directory that only root writes.
 */

import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { messageOf } from '../error.js';
import type { Site } from '../site/site.js';
import { makePhpLog, prepareSite, type SiteDirectories } from './layout.js';
import { cutPhpLog, SiteLogs } from './site-logs.js';
import type { SiteRuntime } from './site-runtime.js';

const periodMs = 2000;
/** While a script floods its log. */
const floodPeriodMs = 100;

/** The instance, as far as logs go: the configuration and the sites change while it runs. */
interface Around {
  readonly log: Logger;
  readonly config: Config;
  readonly sites: { all(): Iterable<SiteRuntime> };
}

export class LogKeeper {
  readonly logs: SiteLogs;
  readonly #around: Around;
  #timer: NodeJS.Timeout | undefined;

  constructor(around: Around) {
    this.#around = around;
    this.logs = new SiteLogs(around.config);
  }

  /** Makes what a site needs before it has processes, and watches its log while it has some. */
  prepare(site: Site): SiteDirectories {
    this.#wake();
    return prepareSite(this.#around.config, site);
  }

  #wake(afterMs = periodMs): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const active = [...this.#around.sites.all()].filter((one) => one.templatePid !== undefined);
      const floods = active.filter(({ site }) => this.#look(site));
      if (active.length > 0) this.#wake(floods.length > 0 ? floodPeriodMs : periodMs);
    }, afterMs);
    this.#timer.unref();
  }

  /** Whether its log grows faster than it is looked at. */
  #look(site: Site): boolean {
    const { config } = this.#around;
    try {
      if (!this.logs.rotate(site.name, 'php', (path) => makePhpLog(path, site))) return false;
      return cutPhpLog(config, site.name);
    } catch (thrown) {
      this.#around.log.error({ site: site.name, problem: messageOf(thrown) }, 'log file cannot be rotated');
      return false;
    }
  }
}
