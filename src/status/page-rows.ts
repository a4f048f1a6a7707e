/** One row for each site, in the order asked for. Pure. */

import { quantile } from '../account/histogram.js';
import type { SiteStatus, StatusReport } from '../control/api.js';
import type { History } from './history.js';

export interface SiteRow {
  readonly name: string;
  readonly state: string;
  /** How much its state is to worry about. */
  readonly level: '' | 'bad' | 'warn';
  readonly busy: number;
  readonly limit: number;
  readonly queue: number;
  readonly queueLimit: number;
  readonly rate: number;
  readonly line: readonly number[];
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly cpu: number;
  readonly memory: number | undefined;
  /** Lately; `why`: all reasons that there were. */
  readonly errors: number;
  readonly why: string;
}

export const sortKeys = ['rate', 'name', 'busy', 'queue', 'p50', 'p99', 'cpu', 'memory', 'errors'] as const;
export type SortKey = (typeof sortKeys)[number];

/** The busiest first, where nothing else that there is was asked for. */
export function sortKeyOf(asked: string | undefined): SortKey {
  return sortKeys.find((key) => key === asked) ?? 'rate';
}

export function rowsOf(report: StatusReport, history: History, key: SortKey): SiteRow[] {
  const rows = report.sites.map((site) => rowOf(site, report, history));
  const byName = (a: SiteRow, b: SiteRow): number => (a.name < b.name ? -1 : Number(a.name > b.name));
  if (key === 'name') return rows.sort(byName);
  return rows.sort((a, b) => (b[key] ?? 0) - (a[key] ?? 0) || b.busy - a.busy || byName(a, b));
}

function rowOf(site: SiteStatus, report: StatusReport, history: History): SiteRow {
  const { perSecond, line, runSteps, cpu, errors } = history.site(report, site.name);
  const { state, workers, queue } = site;
  return {
    name: site.name,
    state,
    level: state === 'throttled' || state === 'quarantined' ? 'bad' : '',
    busy: workers.busy,
    limit: workers.limit,
    queue: queue.length,
    queueLimit: queue.limit,
    rate: perSecond,
    line,
    p50: quantile(runSteps, 0.5),
    p99: quantile(runSteps, 0.99),
    cpu,
    memory: site.memory?.pssBytes,
    errors,
    why: Object.entries(site.refusals)
      .map(([reason, count]) => `${reason}: ${count}`)
      .join(', '),
  };
}
