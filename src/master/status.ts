/** The status report: the master's tables beside what has been counted. */

import { addFigures, type FigureName, type Figures, figure } from '../account/figures.js';
import type { RouterStatus, SiteState, SiteStatus, StatusReport, Totals } from '../control/api.js';
import { figuresReport, type LivesReport } from '../control/figures-report.js';
import type { Registry } from '../site/registry.js';
import type { Site } from '../site/site.js';
import type { FigureBook } from './figure-book.js';
import { Lives } from './lives.js';
import type { ProcessMeter } from './process-meter.js';
import type { RouterLink } from './router-link.js';
import type { SiteRuntime } from './site-runtime.js';
import type { WorkerBudget } from './worker-budget.js';

export interface StatusSources {
  readonly version: string;
  readonly startedAtMs: number;
  readonly router: RouterLink;
  readonly book: FigureBook;
  readonly meter: ProcessMeter;
  sites(): Iterable<SiteRuntime>;
  /** Whether it is the one that takes new requests under its name. */
  isInForce(runtime: SiteRuntime): boolean;
  readonly registry: Registry;
  /** Of all sites together. */
  readonly maxWorkers: number;
  readonly budget: WorkerBudget;
  /** How full a site's temporary directory is, where it has a size. */
  tmp(site: Site): SiteStatus['tmp'];
}

interface Row {
  readonly runtime: SiteRuntime;
  readonly figures: Figures;
}

export async function statusReport(sources: StatusSources): Promise<StatusReport> {
  const { router, book, meter } = sources;
  const [connections] = await Promise.all([router.ask(), meter.measure(measured(sources.sites()))]);
  const rows = [...sources.sites()].map((runtime) => rowOf(sources, runtime));
  return {
    version: sources.version,
    pid: process.pid,
    startedAt: new Date(sources.startedAtMs).toISOString(),
    uptimeMs: Date.now() - sources.startedAtMs,
    routers: [routerStatus(router, connections)],
    totals: totalsOf(sources, rows),
    siteless: figuresReport(book.siteless),
    sites: rows.map((row) => siteStatus(row, sources)),
    parked: sources.registry.parked,
    kept: sources.registry.kept ?? [],
  };
}

function measured(sites: Iterable<SiteRuntime>): { id: number; pids: number[] }[] {
  return [...sites]
    .map(({ id, templatePid, workers }) => ({
      id,
      pids: templatePid === undefined ? workers.pids : [templatePid, ...workers.pids],
    }))
    .filter(({ pids }) => pids.length > 0);
}

function rowOf(sources: StatusSources, runtime: SiteRuntime): Row {
  const { book } = sources;
  const own = runtime.figures;
  if (own !== undefined) book.said(runtime.id, own);
  return { runtime, figures: book.of(runtime.id, sources.isInForce(runtime)) };
}

function routerStatus(router: RouterLink, connections: number | undefined): RouterStatus {
  const alive = router.pid !== undefined;
  return {
    pid: router.pid ?? 0,
    alive,
    answers: connections !== undefined,
    restarts: router.restarts,
    connections: connections ?? 0,
  };
}

function siteStatus({ runtime, figures }: Row, sources: StatusSources): SiteStatus {
  const { site, workers, templatePid, lastProblem } = runtime;
  const of = (name: FigureName): number => figure(figures, name);
  const tmp = sources.tmp(site);
  const memory = sources.meter.of(runtime.id);
  return {
    name: site.name,
    state: stateOf(runtime),
    user: site.user.name,
    uid: site.user.uid,
    mode: site.mode,
    socket: site.socket,
    inForceSince: new Date(runtime.inForceSinceMs).toISOString(),
    workers: {
      total: workers.size,
      busy: of('busy'),
      idle: of('idle'),
      starting: of('starting'),
      limit: site.maxWorkers,
      ...bytesOf(sources, site),
      maxBusy: of('maxBusy'),
      limitReached: of('limitReached'),
    },
    queue: { length: of('queued'), limit: site.queueLength, maxLength: of('maxQueued') },
    ...figuresReport(figures),
    lives: livesReport(runtime.lives),
    workerPids: workers.pids,
    ...(memory === undefined || (templatePid === undefined && workers.size === 0) ? {} : { memory }),
    ...(tmp === undefined ? {} : { tmp }),
    ...(templatePid === undefined ? {} : { templatePid }),
    ...reasonOf(runtime),
    ...(lastProblem === undefined ? {} : { lastProblem }),
  };
}

/** With what is over, and what never had a site: these sums never go back. */
function totalsOf(sources: StatusSources, rows: readonly Row[]): Totals {
  const { book, meter, maxWorkers } = sources;
  const sum = book.siteless;
  const lives = new Lives();
  addFigures(sum, book.gone.figures);
  lives.add(book.gone.lives);
  const workers = { total: 0, busy: 0, idle: 0, starting: 0, limit: maxWorkers };
  const memory = { rssBytes: 0, pssBytes: 0 };
  for (const { runtime, figures } of rows) {
    addFigures(sum, figures);
    if (sources.isInForce(runtime)) lives.add(runtime.lives);
    workers.total += runtime.workers.size;
    memory.rssBytes += meter.of(runtime.id)?.rssBytes ?? 0;
    memory.pssBytes += meter.of(runtime.id)?.pssBytes ?? 0;
  }
  workers.busy = figure(sum, 'busy');
  workers.idle = figure(sum, 'idle');
  workers.starting = figure(sum, 'starting');
  return {
    sites: rows.filter(({ runtime }) => sources.isInForce(runtime)).length,
    workers,
    queued: figure(sum, 'queued'),
    ...figuresReport(sum),
    lives: livesReport(lives),
    memory,
    room: {
      usedBytes: sources.budget.sharing.bytes,
      limitBytes: sources.budget.sharing.limits.memoryBytes,
      waiting: sources.budget.sharing.needCount,
    },
  };
}

function bytesOf({ budget }: StatusSources, { name }: Site): { bytes?: number } {
  const bytes = budget.sizeOf(name);
  return bytes === undefined ? {} : { bytes };
}

function livesReport({ workers, templates, failedStarts, deaths }: Lives): LivesReport {
  return { workers, templates, failedStarts, deaths: Object.fromEntries(deaths) };
}

/** Why its state is what it is. */
function reasonOf({ health, isThrottled, lastProblem }: SiteRuntime): Pick<SiteStatus, 'reason'> {
  if (health.outOfService === 'disabled') return { reason: 'enabled = false in its file' };
  const isWaiting = isThrottled || health.outOfService !== undefined;
  return isWaiting && lastProblem !== undefined ? { reason: lastProblem } : {};
}

function stateOf(runtime: SiteRuntime): SiteState {
  if (runtime.isClosing) return 'stopping';
  if (runtime.health.outOfService !== undefined) return runtime.health.outOfService;
  if (runtime.isThrottled) return 'throttled';
  if (runtime.isStarting) return 'starting';
  return runtime.templatePid === undefined && runtime.workers.size === 0 ? 'quiet' : 'active';
}
