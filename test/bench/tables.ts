/** Results as tables in Markdown, which is also how they are printed. */

import { arms } from './arms.js';
import type { Density, DensityResult } from './density-result.js';
import type { KeptLane, KeptResult } from './kept.js';
import type { Measured } from './load.js';
import type { NoisyResult } from './noisy.js';
import { pages } from './pages.js';
import type { Recorded } from './results.js';
import type { Spread } from './statistics.js';
import { type Figures, figuresOf, type ThroughputResult } from './throughput-result.js';

export function inWords({ machine, result }: Recorded): string {
  const head = `Measured on ${machine.date} UTC: ${machine.cores} cores (${machine.model}), Linux ${machine.kernel}, Node ${machine.node}, Apache ${machine.apache}, PHP ${machine.php}, guise at ${machine.commit}. Load before: ${machine.loadBefore.toFixed(1)}; autogroup ${machine.autogroup ? 'on' : 'off'}.${machine.quick ? ' **A quick run: not to be quoted.**' : ''}`;
  const failures = result.failures.map((failure) => `- FAILED: ${failure}`);
  return [head, ...failures, tablesOf(result)].join('\n\n');
}

function tablesOf(result: Recorded['result']): string {
  switch (result.kind) {
    case 'throughput':
      return throughputTables(result);
    case 'density':
      return densityTable(result);
    case 'noisy':
      return noisyTable(result);
    case 'kept':
      return keptTable(result);
  }
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), `|---|${'---:|'.repeat(columns.length - 1)}`, ...rows.map(line)].join('\n');
}

function throughputTables(result: ThroughputResult): string {
  const parts = pages.flatMap((page) => {
    const of = result.figures.filter((figures) => figures.page === page.id);
    const counts = [...new Set(of.map((figures) => figures.connections))].sort((a, b) => a - b);
    if (counts.length === 0) return [];
    return [`### ${page.title}`, ...counts.map((count) => cellTable(result, page.id, count))];
  });
  const missing = Object.entries(result.missing).map(([id, why]) => `- ${id} ${why.replaceAll('\n', ' ')}`);
  return [...parts, ...(missing.length === 0 ? [] : ['Not measured:', missing.join('\n')])].join('\n\n');
}

function cellTable(result: ThroughputResult, page: string, connections: number): string {
  const rows = result.arms.flatMap((arm) => {
    const figures = figuresOf(result, arm.id, page, connections);
    return figures === undefined
      ? []
      : [[arm.label + (arm.client === 'closed' ? ' ¹' : ''), ...columnsOf(figures, arm.against)]];
  });
  const title = `${connections} connection${connections === 1 ? '' : 's'}`;
  return table(
    [
      title,
      'requests/s',
      'min–max',
      'ratio',
      'to',
      'p50 ms',
      'p99 ms',
      'CPU µs',
      'web + router + master + workers',
      'PSS MB',
    ],
    rows,
  );
}

function columnsOf(figures: Figures, against: string): string[] {
  const { perSecond, ratio, split, pssKb, p50, p99, cpuUs } = figures;
  const kind = (name: string): string => whole(split[name] ?? 0);
  return [
    whole(perSecond.median),
    `${whole(perSecond.min)}–${whole(perSecond.max)}`,
    ratio === undefined ? '' : inRange(ratio),
    arms.find((arm) => arm.id === against)?.id ?? against,
    fraction(p50.median),
    fraction(p99.median),
    whole(cpuUs.median),
    `${kind('web')} + ${kind('router')} + ${kind('master')} + ${kind('workers')}`,
    whole(pssKb.median / 1024),
  ];
}

function densityTable(result: DensityResult): string {
  return table(
    [
      '',
      'sites',
      'start ms',
      'PSS MB',
      'KB per site',
      'adding one, ms',
      'first request, ms',
      '200 active: requests/s',
      'CPU µs',
      'p99 ms',
    ],
    result.rows.map((row) => [
      row.server,
      String(row.sites),
      whole(row.startMs),
      fraction(row.quietKb / 1024),
      fraction(row.perSiteKb),
      added(row),
      fraction(row.firstMs),
      whole(row.activePerSecond),
      whole(row.activeCpuUs),
      fraction(row.activeP99),
    ]),
  );
}

function added({ addMs, addMinMs, addMaxMs }: Density): string {
  const range =
    addMinMs === undefined || addMaxMs === undefined ? '' : ` (${fraction(addMinMs)}–${fraction(addMaxMs)})`;
  return `${fraction(addMs)}${range}`;
}

function noisyTable(result: NoisyResult): string {
  const meaning = {
    none: 'nothing',
    sleep: '32 connections, usleep(100000)',
    spin: '32 connections, 20 ms of computing',
  };
  return table(
    ['the other tenant does', 'server', 'p50 ms', 'p99 ms', 'requests/s'],
    result.rows.map((row) => [
      meaning[row.noise],
      row.server,
      fraction(row.p50.median),
      `${fraction(row.p99.median)} (${fraction(row.p99.min)}–${fraction(row.p99.max)})`,
      whole(row.perSecond.median),
    ]),
  );
}

function keptTable({ connections, lanes }: KeptResult): string {
  const title = (lane: KeptLane): string => (lane.dispatch === 'direct' ? 'direct' : 'routed');
  const row = (name: string, { perSecond, p50, p99 }: Measured): string[] => [
    name,
    whole(perSecond),
    fraction(p50),
    fraction(p99),
  ];
  const said = lanes.map(
    (lane) =>
      `${title(lane)}: ${lane.open} connections stay open; ${lane.idleCpuMs.toFixed(1)} ms of guise's processor time in a second in which nobody asks`,
  );
  return [
    `${said.join('. ')}.`,
    table(
      ['8 workers', 'requests/s', 'p50 ms', 'p99 ms'],
      lanes.flatMap((lane) => [
        row(`${title(lane)}, ${connections} at once`, lane.crowd),
        row(`${title(lane)}, then one at a time`, lane.alone),
      ]),
    ),
  ].join('\n\n');
}

const whole = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '–');
const fraction = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) : '–';

const inRange = ({ median, min, max }: Spread): string =>
  `**${median.toFixed(2)}** (${min.toFixed(2)}–${max.toFixed(2)})`;
