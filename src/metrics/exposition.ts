/**
 * A status report as metrics: OpenMetrics, or the older text format of Prometheus. How many sites have series of their
 * own is bounded; the series of the machine are about all of them. Pure.
 */

import { type Metric, Registry } from 'prom-client';
import { stepEndsMs } from '../account/histogram.js';
import type { SiteStatus, StatusReport } from '../control/api.js';
import { countsOf } from '../control/figures-report.js';
import { machineMetrics } from './machine-metrics.js';
import type { HistogramMetric, SiteMetric } from './metric.js';
import { siteMetrics } from './site-metrics.js';

/** Sites with series of their own: those with the most requests. Others, and quiet ones, are in the sums only. */
export const mostSites = 500;

/** Upper ends of buckets in milliseconds; each is the end of a step (account/histogram.ts). */
export const bucketsMs = [1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000] as const;

export type MetricsFormat = 'openmetrics' | 'prometheus';

export function metricsContentType(format: MetricsFormat): string {
  return format === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
}

export async function metricsText(report: StatusReport, format: MetricsFormat): Promise<string> {
  const registry = new Registry();
  // Its types know a registry of either format; both have the same methods.
  if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  for (const { name, help, type, labels = [], of } of machineMetrics) {
    const add = family(registry, { name, help, labels, type }, format);
    for (const sample of of(report)) add(sample.labels ?? {}, sample.value);
  }
  const { shown, leftOut } = chosen(report.sites);
  const add = family(
    registry,
    {
      name: 'guise_sites_left_out',
      help: `Sites with requests that have no series of their own, because ${mostSites} others had more.`,
      labels: [],
      type: 'gauge',
    },
    format,
  );
  add({}, leftOut);
  for (const metric of siteMetrics) fill(registry, metric, shown, format);
  return registry.metrics();
}

/** The rows of the sites that are shown. A site that has just changed has several. */
function chosen(sites: readonly SiteStatus[]): { shown: SiteStatus[]; leftOut: number } {
  const requests = new Map<string, number>();
  for (const { name, served, refused, crashed } of sites) {
    const count = served + refused + crashed;
    if (count > 0) requests.set(name, (requests.get(name) ?? 0) + count);
  }
  const ranked = [...requests].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const names = new Set(ranked.slice(0, mostSites).map(([name]) => name));
  return { shown: sites.filter(({ name }) => names.has(name)), leftOut: requests.size - names.size };
}

function fill(
  registry: Registry,
  metric: SiteMetric,
  sites: readonly SiteStatus[],
  format: MetricsFormat,
): void {
  const { name, help, labels = [] } = metric;
  const isOfPresent = metric.isOfPresent === true;
  const rows = isOfPresent ? sites.filter(({ state }) => state !== 'stopping') : sites;
  if (metric.type === 'histogram') {
    fillHistogram(registry, metric, rows);
    return;
  }
  const add = family(registry, { name, help, labels, type: metric.type }, format);
  for (const row of rows) {
    for (const sample of metric.of(row)) add({ site: row.name, ...sample.labels }, sample.value);
  }
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly type: 'gauge' | 'counter';
}

type Add = (labels: Readonly<Record<string, string>>, value: number) => void;

/** What is added twice under the same labels is summed up. */
function family(registry: Registry, { name, help, labels, type }: Family, format: MetricsFormat): Add {
  const values = new Map<string, Value>();
  const isSuffixed = type === 'counter' && format === 'prometheus';
  register(registry, { name: isSuffixed ? `${name}_total` : name, help, type, values });
  return (of, value) => {
    const key = labels.map((label) => of[label]).join('\0');
    const known = values.get(key);
    if (known === undefined) values.set(key, { labels: of, value });
    else known.value += value;
  };
}

/** prom-client's own metrics count what they are told of themselves; these have been counted already. */
function register(
  registry: Registry,
  { values, ...metric }: { name: string; help: string; type: string; values: ReadonlyMap<string, Value> },
): void {
  const get = (): Promise<unknown> => Promise.resolve({ ...metric, values: [...values.values()] });
  const registered: unknown = { ...metric, get };
  registry.registerMetric(registered as Metric);
}

function fillHistogram(registry: Registry, metric: HistogramMetric, rows: readonly SiteStatus[]): void {
  const { name, help, type } = metric;
  const sums = new Map<string, { counts: Float64Array; sumMs: number }>();
  for (const row of rows) {
    const times = metric.of(row);
    const counts = countsOf(times);
    const known = sums.get(row.name);
    if (known !== undefined)
      for (const [i, count] of known.counts.entries()) counts[i] = (counts[i] ?? 0) + count;
    sums.set(row.name, { counts, sumMs: (known?.sumMs ?? 0) + times.sumMs });
  }
  const all = [...sums].flatMap(([site, { counts, sumMs }]) => series(name, site, counts, sumMs));
  register(registry, { name, help, type, values: new Map(all.map((value, i) => [String(i), value])) });
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

function series(name: string, site: string, counts: Float64Array, sumMs: number): Value[] {
  const values: Value[] = [];
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    total += counts[i] ?? 0;
    const endMs = stepEndsMs[i];
    const isShown = endMs === undefined || (bucketsMs as readonly number[]).includes(endMs);
    const le = endMs === undefined ? '+Inf' : String(endMs / 1000);
    if (isShown) values.push({ metricName: `${name}_bucket`, labels: { site, le }, value: total });
  }
  values.push({ metricName: `${name}_sum`, labels: { site }, value: sumMs / 1000 });
  values.push({ metricName: `${name}_count`, labels: { site }, value: total });
  return values;
}
