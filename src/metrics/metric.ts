/** What a metric is, and the ways in which a report's numbers become its samples. */

import type { SiteStatus, StatusReport } from '../control/api.js';
import type { Times } from '../control/figures-report.js';

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Common {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Counters have names without `_total`, which OpenMetrics adds to their samples. */
export type MachineMetric = Common & {
  readonly type: 'gauge' | 'counter';
  readonly of: (report: StatusReport) => readonly Sample[];
};

interface Scope {
  /** Of the site as it is now: what the last requests of an earlier form of it still do is not added. */
  readonly isOfPresent?: true;
}

export type HistogramMetric = Common &
  Scope & { readonly type: 'histogram'; readonly of: (site: SiteStatus) => Times };

export type SiteMetric =
  | HistogramMetric
  | (Common &
      Scope & { readonly type: 'gauge' | 'counter'; readonly of: (site: SiteStatus) => readonly Sample[] });

export const one = (value: number): Sample[] => [{ value }];

/** One sample for each entry, with its name as a label. */
export function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

export function outcomes({
  served,
  refused,
  crashed,
}: {
  served: number;
  refused: number;
  crashed: number;
}): Sample[] {
  return by('outcome', { served, refused, crashed });
}

export function states(workers: { busy: number; idle: number; starting: number } | undefined): Sample[] {
  const { busy = 0, idle = 0, starting = 0 } = workers ?? {};
  return by('state', { busy, idle, starting });
}
