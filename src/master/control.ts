/** What the control socket may ask of the master. */

import { type Config, readConfig } from '../config/config.js';
import { version } from '../config/version.js';
import type { MasterApi, PingReport, ReloadReport, StatusReport } from '../control/api.js';
import { GuiseError } from '../error.js';
import { isAutoSiteName } from '../site/auto.js';
import type { SiteCatalog } from '../site/registry.js';
import type { Instance } from './instance.js';
import { siteDirectories } from './layout.js';
import { ProcessMeter } from './process-meter.js';
import { tmpUsage } from './site-state.js';
import { statusReport } from './status.js';

export class Control implements MasterApi {
  readonly #instance: Instance;
  readonly #startedAtMs: number;
  readonly #meter = new ProcessMeter();

  constructor(instance: Instance, startedAtMs: number) {
    this.#instance = instance;
    this.#startedAtMs = startedAtMs;
  }

  config(): Config {
    return this.#instance.config;
  }

  registry(): SiteCatalog {
    return this.#instance.registry;
  }

  isOwner(uid: number): boolean {
    const { registry, sites } = this.#instance;
    if (registry.sites.some((site) => site.user.uid === uid)) return true;
    return [...sites.all()].some(({ site }) => site.user.uid === uid && isAutoSiteName(site.name));
  }

  ping(): PingReport {
    return { pid: process.pid, version, uptimeMs: Date.now() - this.#startedAtMs };
  }

  async status(): Promise<StatusReport> {
    const { router, sites, registry, config, book } = this.#instance;
    return statusReport({
      version,
      startedAtMs: this.#startedAtMs,
      router,
      book,
      meter: this.#meter,
      sites: () => sites.all(),
      isInForce: (runtime) => sites.isInForce(runtime),
      registry,
      maxWorkers: config.limits.maxWorkers,
      budget: this.#instance.budget,
      tmp: ({ name, tmpSizeBytes }) =>
        tmpSizeBytes === 0 ? undefined : tmpUsage(siteDirectories(config, name).tmp),
    });
  }

  /** Paths, the router's user and its limits are fixed until the next start; everything about sites applies now. */
  reload(): Promise<ReloadReport> {
    return new Promise((resolve) => {
      const difference = this.#instance.reload(readConfig(this.#instance.config.file));
      const { added, changed, removed, unchanged } = difference;
      this.#instance.log.info({ added, changed, removed, unchanged }, 'reloaded');
      const { parked, kept } = this.#instance.registry;
      resolve({ added, changed, removed, unchanged, parked, kept });
    });
  }

  reopen(): void {
    this.#instance.reopenLogs();
  }

  stop(): Promise<void> {
    this.#instance.stop();
    return Promise.resolve();
  }

  applySite(name: string): Promise<void> {
    return new Promise((resolve) => {
      const { added, changed, removed } = this.#instance.applySite(name);
      this.#instance.log.info({ site: name, added, changed, removed }, 'site applied');
      resolve();
    });
  }

  restartSite(name: string): Promise<void> {
    return this.#act(name, 'site restarted', this.#instance.sites.restart(name));
  }

  liftQuarantine(name: string): Promise<void> {
    return this.#act(name, 'site may be started', this.#instance.sites.liftQuarantine(name));
  }

  #act(site: string, what: string, isThere: boolean): Promise<void> {
    if (!isThere) throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(site)} that runs`);
    this.#instance.log.info({ site }, what);
    return Promise.resolve();
  }
}
