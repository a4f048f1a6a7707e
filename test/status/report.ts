/** A daemon's report as tests of the status application want it. */

import { noFigures } from '../../src/account/figures.js';
import type { SiteStatus, StatusReport } from '../../src/control/api.js';
import { figuresReport } from '../../src/control/figures-report.js';

export function siteReport(name: string, more: Partial<SiteStatus> = {}): SiteStatus {
  return {
    ...figuresReport(noFigures()),
    name,
    state: 'active',
    user: 'alice',
    uid: 1000,
    mode: 'pool',
    socket: 'shared',
    workers: { total: 3, busy: 1, idle: 2, starting: 0, limit: 8, maxBusy: 3, limitReached: 0 },
    queue: { length: 2, limit: 100, maxLength: 6 },
    inForceSince: '2026-11-24T16:54:29.500Z',
    lives: { workers: 4, templates: 1, failedStarts: 0, deaths: { SIGSEGV: 1 } },
    served: 40,
    refused: 5,
    crashed: 1,
    workerPids: [101, 102, 103],
    ...more,
  };
}

export function daemonReport(...sites: readonly SiteStatus[]): StatusReport {
  return {
    version: '0.1.0',
    pid: 99,
    startedAt: '2026-11-24T16:54:29.500Z',
    uptimeMs: 60_000,
    routers: [{ pid: 100, alive: true, answers: true, restarts: 0, connections: 3 }],
    totals: {
      ...figuresReport(noFigures()),
      sites: sites.length,
      workers: { total: 3, busy: 1, idle: 2, starting: 0, limit: 256 },
      queued: 2,
      lives: { workers: 4, templates: 1, failedStarts: 0, deaths: { SIGSEGV: 1 } },
      memory: { rssBytes: 60_000_000, pssBytes: 12_000_000 },
    },
    siteless: figuresReport(noFigures()),
    sites,
    parked: [],
    kept: [],
  };
}
