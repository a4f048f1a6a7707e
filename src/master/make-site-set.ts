/** The sites of an instance: what each is given of the rest of the master, and who is told of its life. */

import { rmSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Site } from '../site/site.js';
import { confinementOf } from './confinement.js';
import type { FigureBook } from './figure-book.js';
import type { Housekeeper } from './housekeeper.js';
import type { InstanceSetup } from './instance-setup.js';
import { laneMaker } from './lanes.js';
import { prepareSite, type SiteDirectories } from './layout.js';
import { openListener } from './listeners.js';
import type { Orphans } from './orphans.js';
import { SitePrograms } from './program-process.js';
import type { RouterLink } from './router-link.js';
import type { SiteGroups } from './site-groups.js';
import { SiteSet } from './site-set.js';
import type { WorkerBudget } from './worker-budget.js';

export interface SiteSetParts {
  readonly setup: InstanceSetup;
  readonly budget: WorkerBudget;
  readonly book: FigureBook;
  readonly housekeeper: Housekeeper;
  readonly orphans: Orphans;
  readonly groups: SiteGroups;
  /** The configuration that is in force. */
  readonly config: () => Config;
  /** The set that is being made. */
  readonly sites: () => SiteSet;
  readonly router: () => RouterLink | undefined;
  /** Directories and logs of a site, made if they are missing. */
  readonly prepare: (site: Site) => SiteDirectories;
}

export function makeSiteSet(parts: SiteSetParts): SiteSet {
  const { setup, config, sites, router, budget, book, housekeeper, orphans, groups, prepare } = parts;
  const { poller, log, library, webUsers } = setup;
  const around = {
    poller,
    log,
    library,
    budget,
    prepare,
    requireConfinement: () => config().requireConfinement,
    housekeeper,
    groups,
    expectOrphans: (uid: number) => orphans.expect(uid),
    lane: laneMaker({
      ...setup,
      listenerOf: (name) => sites().listenerOf(name),
      boundNameOf: (name) => sites().boundNameOf(name),
      router,
    }),
    lives: (id: number, { name, dispatch }: Site) => book.open(id, name, dispatch === 'router'),
    programs: new SitePrograms({
      prepare: (site) => prepareSite(config(), site),
      confinement: (site, directories) =>
        confinementOf(site, directories, library, config().requireConfinement),
      housekeeper,
      groups,
      expectOrphans: (uid) => orphans.expect(uid),
    }),
    quarantined: (id: number) => sites().quarantined(id),
    nowMs: () => performance.now(),
  };
  return new SiteSet(config().paths.run, around, {
    opened: (runtime, listener) => router()?.siteOpened(runtime, listener),
    rekeyed: (runtime) => router()?.siteRekeyed(runtime),
    closed: (runtime) => router()?.siteClosed(runtime),
    gone: ({ id, figures }) => {
      if (figures !== undefined) book.said(id, figures);
      book.close(id);
    },
    over: ({ site }) => {
      book.forget(site.name);
      housekeeper.siteIsOver(site);
    },
    listen: (path, boundAt) => openListener(path, webUsers, boundAt),
    unlink: (path) => rmSync(path, { force: true }),
  });
}
