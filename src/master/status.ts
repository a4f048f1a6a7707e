/** The status report: the master's tables beside the router's figures. */

import type { RouterStatus, SiteState, SiteStatus, StatusReport } from '../control/api.js';
import type { SiteFigures } from '../control/router-messages.js';
import type { Parked } from '../site/registry.js';
import type { Site } from '../site/site.js';
import type { RouterFigures, RouterLink } from './router-link.js';
import type { SiteRuntime } from './site-runtime.js';

const nothing: SiteFigures = { busy: 0, idle: 0, starting: 0, queued: 0, served: 0, refused: 0, crashed: 0 };

export interface StatusSources {
  readonly version: string;
  readonly startedAtMs: number;
  readonly router: RouterLink;
  readonly sites: Iterable<SiteRuntime>;
  readonly parked: readonly Parked[];
  /** How full a site's temporary directory is, where it has a size. */
  tmp(site: Site): SiteStatus['tmp'];
}

export async function statusReport(sources: StatusSources): Promise<StatusReport> {
  const figures = await sources.router.figures();
  return {
    version: sources.version,
    pid: process.pid,
    startedAt: new Date(sources.startedAtMs).toISOString(),
    uptimeMs: Date.now() - sources.startedAtMs,
    routers: [routerStatus(sources.router, figures)],
    sites: [...sources.sites].map((runtime) =>
      siteStatus(
        runtime,
        runtime.figures ?? figures?.sites.get(runtime.id) ?? nothing,
        sources.tmp(runtime.site),
      ),
    ),
    parked: sources.parked,
  };
}

function routerStatus(router: RouterLink, figures: RouterFigures | undefined): RouterStatus {
  const alive = router.pid !== undefined;
  return { pid: router.pid ?? 0, alive, restarts: router.restarts, connections: figures?.connections ?? 0 };
}

function siteStatus(runtime: SiteRuntime, figures: SiteFigures, tmp: SiteStatus['tmp']): SiteStatus {
  const { site, workers, templatePid, lastProblem } = runtime;
  return {
    name: site.name,
    state: stateOf(runtime),
    user: site.user.name,
    uid: site.user.uid,
    mode: site.mode,
    socket: site.socket,
    workers: {
      total: workers.size,
      busy: figures.busy,
      idle: figures.idle,
      starting: figures.starting,
      limit: site.maxWorkers,
    },
    queue: { length: figures.queued, limit: site.queueLength },
    served: figures.served,
    refused: figures.refused,
    crashed: figures.crashed,
    workerPids: workers.pids,
    ...(tmp === undefined ? {} : { tmp }),
    ...(templatePid === undefined ? {} : { templatePid }),
    ...(runtime.isThrottled && lastProblem !== undefined ? { reason: lastProblem } : {}),
    ...(lastProblem === undefined ? {} : { lastProblem }),
  };
}

function stateOf(runtime: SiteRuntime): SiteState {
  if (runtime.isClosing) return 'stopping';
  if (runtime.isThrottled) return 'throttled';
  if (runtime.isStarting) return 'starting';
  return runtime.templatePid === undefined && runtime.workers.size === 0 ? 'quiet' : 'active';
}
