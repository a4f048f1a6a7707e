/** A daemon's report as tests of the status application want it. */

import type { SiteStatus, StatusReport } from '../../src/control/api.js';

export function siteReport(name: string, more: Partial<SiteStatus> = {}): SiteStatus {
  return {
    name,
    state: 'active',
    user: 'alice',
    uid: 1000,
    mode: 'pool',
    socket: 'shared',
    workers: { total: 3, busy: 1, idle: 2, starting: 0, limit: 8 },
    queue: { length: 2, limit: 100 },
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
    routers: [{ pid: 100, alive: true, restarts: 0, connections: 3 }],
    sites,
    parked: [],
  };
}
