/** Status reports for tests of what is made of them: sites that are well, to be changed where a test wants. */

import type { SiteStatus, StatusReport } from '../../src/control/api.js';
import { daemonReport, siteReport } from '../status/report.js';

export function siteRow(name: string): SiteStatus {
  const workers = { total: 1, busy: 0, idle: 1, starting: 0, limit: 8, maxBusy: 1, limitReached: 0 };
  return siteReport(name, {
    workers,
    queue: { length: 0, limit: 100, maxLength: 0 },
    served: 100,
    refused: 0,
    crashed: 0,
    workerPids: [],
  });
}

export function statusReport(sites: readonly SiteStatus[]): StatusReport {
  return { ...daemonReport(...sites), uptimeMs: 61_000 };
}
