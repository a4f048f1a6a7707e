/**
 * A site, or all of them, in the words of php-fpm's status page: the figures that its exporters, Netdata, Telegraf
 * and Zabbix look for. Where guise does not know a figure, it is php-fpm's own for "nothing": 0 or "-".
 *
 * Source: fpm_status.c of PHP 8.2; test/status compares with what a real php-fpm answers.
 */

import type { SiteStatus, StatusReport } from '../control/api.js';

export interface PoolFigures {
  readonly pool: string;
  /** Seconds since the epoch. */
  readonly startTime: number;
  readonly startSince: number;
  readonly accepted: number;
  readonly queued: number;
  readonly mostQueued: number;
  readonly queueLimit: number;
  readonly idle: number;
  readonly active: number;
  readonly mostActive: number;
  /** How often a worker was wanted and the limit was reached. */
  readonly limitReached: number;
  readonly slow: number;
  readonly processes: readonly ProcessFigures[];
}

export interface ProcessFigures {
  readonly pid: number;
  readonly isRunning: boolean;
}

/** What stands for all sites together where php-fpm has the name of a pool. */
export const allSites = 'guise';

/** @returns undefined when there is no such site */
export function poolFigures(
  report: StatusReport,
  name: string | undefined,
  nowMs: number,
): PoolFigures | undefined {
  const sites = name === undefined ? report.sites : report.sites.filter((site) => site.name === name);
  if (name !== undefined && sites.length === 0) return undefined;
  const sum = (of: (site: SiteStatus) => number): number =>
    sites.reduce((total, site) => total + of(site), 0);
  const startTime = Math.floor(Date.parse(report.startedAt) / 1000);
  const active = sum(({ workers }) => workers.busy);
  const queued = sum(({ queue }) => queue.length);
  return {
    pool: name ?? allSites,
    startTime,
    startSince: Math.max(0, Math.floor(nowMs / 1000) - startTime),
    accepted: sum((site) => site.served + site.crashed + site.workers.busy),
    queued,
    mostQueued: sum(({ queue }) => queue.maxLength),
    queueLimit: sum(({ queue }) => queue.limit),
    idle: sum(({ workers }) => workers.total - workers.busy),
    active,
    mostActive: sum(({ workers }) => workers.maxBusy),
    limitReached: sum(({ workers }) => workers.limitReached),
    slow: 0,
    processes: sites.flatMap(processesOf),
  };
}

/** How many are busy is known, and not which: the first ones are called so. */
function processesOf({ workerPids, workers }: SiteStatus): ProcessFigures[] {
  return workerPids.map((pid, index) => ({ pid, isRunning: index < workers.busy }));
}
