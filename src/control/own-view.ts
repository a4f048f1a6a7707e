/**
 * What the user of a site gets to see of an answer: his own sites, and nothing that tells of others. Copied field by
 * field at the top, so that a figure about the whole machine that is added later stays out until it is named here.
 */

import { isAutoSiteName } from '../site/auto.js';
import { visitedSite } from '../site/site.js';
import type { MasterApi, SiteReport, SitesReport, SiteView, StatusReport } from './api.js';

/** Tells the sites of one user from all others. */
export class Mine {
  readonly #uid: number;
  readonly #names: ReadonlySet<string>;

  constructor(uid: number, api: Pick<MasterApi, 'registry'>) {
    this.#uid = uid;
    this.#names = new Set(
      api.registry().sites.flatMap(({ name, aliases, user }) => (user.uid === uid ? [name, ...aliases] : [])),
    );
  }

  /** Whether a site with a file is his, by its name or an alias. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * Whether a site that runs is his: one with a file, the same as other visitors have it under users of their own, or
   * an automatic one, which has no file and is its user's.
   */
  runs(site: { readonly name: string; readonly uid: number }): boolean {
    const visited = visitedSite(site.name);
    if (visited !== undefined) return this.has(visited);
    return this.has(site.name) || (site.uid === this.#uid && isAutoSiteName(site.name));
  }
}

/** No process but those of his own sites: what else the daemon has is not his matter. */
export function ownStatus(report: StatusReport, mine: Mine): StatusReport {
  const { version, pid, startedAt, uptimeMs } = report;
  return {
    version,
    pid,
    startedAt,
    uptimeMs,
    routers: [],
    sites: report.sites.filter((site) => mine.runs(site)),
    parked: [],
    kept: [],
  };
}

/** Without what is wrong in its file: a line of it may hold the key. */
export function ownSite({ site, parked }: SiteReport): SiteReport {
  return { ...(site === undefined ? {} : { site }), ...(parked === undefined ? {} : { parked }) };
}

export function ownSites(report: SitesReport, mine: Mine): SitesReport {
  return { sites: report.sites.filter((site: SiteView) => mine.has(site.name)), parked: [] };
}
