/** What `guise top` shows of each site: rates from the difference of two reports, in the order that is asked for. Pure. */

import type { SiteStatus, StatusReport } from '../control/api.js';

export interface TopRow {
  readonly name: string;
  readonly state: string;
  readonly user: string;
  readonly busy: number;
  readonly workers: number;
  readonly limit: number;
  readonly queued: number;
  /** Requests in a second, refused and lost ones included. */
  readonly rate: number;
  /** Refused or lost, in a second. */
  readonly errors: number;
  /** Processor time of ended requests, as a percentage of one processor. */
  readonly cpu: number;
  /** PSS of template and workers, in bytes. */
  readonly memory: number;
}

export const orders = ['cpu', 'rate', 'busy', 'queued', 'memory', 'errors', 'name'] as const;
export type Order = (typeof orders)[number];

/**
 * @param before the report that rates are counted from; undefined: there are none yet
 * @param seconds between the two
 */
export function topRows(before: StatusReport | undefined, now: StatusReport, seconds: number): TopRow[] {
  const earlier = new Map(before?.sites.map((site) => [site.name, site]));
  return now.sites.map((site) => rowOf(earlier.get(site.name), site, seconds));
}

function rowOf(before: SiteStatus | undefined, site: SiteStatus, seconds: number): TopRow {
  const rate = (count: (status: SiteStatus) => number): number => {
    if (before === undefined || seconds <= 0) return 0;
    // A site that is removed and made again counts from the beginning.
    return Math.max(0, count(site) - count(before)) / seconds;
  };
  return {
    name: site.name,
    state: site.state,
    user: site.user,
    busy: site.workers.busy,
    workers: site.workers.total,
    limit: site.workers.limit,
    queued: site.queue.length,
    rate: rate(({ served, refused, crashed }) => served + refused + crashed),
    errors: rate(({ refused, crashed }) => refused + crashed),
    cpu: rate(({ cpu }) => cpu.userMs + cpu.systemMs) / 10,
    memory: site.memory?.pssBytes ?? 0,
  };
}

/** Largest first, names by the alphabet; only those whose name or user holds the words. */
export function arranged(rows: readonly TopRow[], order: Order, words: string): TopRow[] {
  const wanted = rows.filter(({ name, user }) => name.includes(words) || user.includes(words));
  const byName = (a: TopRow, b: TopRow): number => a.name.localeCompare(b.name);
  if (order === 'name') return wanted.sort(byName);
  return wanted.sort((a, b) => b[order] - a[order] || b.busy - a.busy || byName(a, b));
}
