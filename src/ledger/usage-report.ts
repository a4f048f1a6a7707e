/** The sums as they are asked for: one row for each site over a span of days, or one for each day. Pure. */

import { addUsage, noUsage, type Usage, type UsageTable } from '../account/usage.js';

export interface UsageQuestion {
  /** This one, and the users that its visitors run as (`NAME+USER`). */
  readonly site?: string;
  /** Days of UTC, both included. */
  readonly since?: string;
  readonly until?: string;
  readonly daily: boolean;
}

export interface UsageSummary extends Usage {
  readonly site: string;
  /** The first and the last day with a request. */
  readonly from: string;
  readonly to: string;
}

/** By day where it is daily, then by name. */
export function summarize(table: UsageTable, question: UsageQuestion): UsageSummary[] {
  const { site: asked, since = '', until = '9999-99-99', daily } = question;
  const rows = new Map<string, UsageSummary>();
  for (const day of table.days) {
    if (day < since || day > until) continue;
    for (const [site, usage] of table.sitesOf(day)) {
      if (asked !== undefined && site !== asked && !site.startsWith(`${asked}+`)) continue;
      const key = daily ? `${day} ${site}` : site;
      const before = rows.get(key) ?? { site, from: day, to: day, ...noUsage() };
      const sum = { ...before, to: day };
      addUsage(sum, usage);
      rows.set(key, sum);
    }
  }
  return [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
