/** What has been counted, as status reports tell it: of one site, of all together, of requests without a site. */

import {
  type FigureName,
  type Figures,
  figure,
  queueSteps,
  refusalsOf,
  runSteps,
} from '../account/figures.js';
import { quantile, stepCount, stepEndsMs, totalOf } from '../account/histogram.js';

/** How long things took. */
export interface Times {
  readonly count: number;
  readonly sumMs: number;
  /** Half of all, and all but one in a hundred, took no longer: to the accuracy of a step. Absent where nothing was counted. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /**
   * How many took no longer than the name says, in milliseconds, and longer than the step before (account/histogram.ts).
   * `more`: longer than the longest step. Steps without any are left out.
   */
  readonly steps: Readonly<Record<string, number>>;
}

/** Since the daemon started, whatever has been restarted meanwhile. */
export interface FiguresReport {
  /** Requests answered by PHP, refused or ended by guise or their visitor, and lost to a crash. */
  readonly served: number;
  readonly refused: number;
  readonly crashed: number;
  /** `refused` and `crashed` by reason: docs/reference/refusals.md. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly queueTime: Times;
  readonly runTime: Times;
  readonly cpu: { readonly userMs: number; readonly systemMs: number };
  /** Of requests, parameters and body; of answers. */
  readonly bytes: { readonly in: number; readonly out: number };
  /** The largest a worker has been. */
  readonly peakRssBytes: number;
  /** When the last request ended, ISO 8601; absent where there was none. */
  readonly lastRequestAt?: string;
}

/** How many processes there were, and how those ended that did not end by themselves. */
export interface LivesReport {
  readonly workers: number;
  readonly templates: number;
  /** Templates that could not be started, or ended before they were ready. */
  readonly failedStarts: number;
  /** By signal (`SIGKILL`), or `exit`: with another exit code than 0. */
  readonly deaths: Readonly<Record<string, number>>;
}

/** Of a site's template and workers together. */
export interface MemoryReport {
  readonly rssBytes: number;
  /** Memory that several processes share is divided among them: sums of it are what is really used. */
  readonly pssBytes: number;
}

export function figuresReport(figures: Figures): FiguresReport {
  const of = (name: FigureName): number => figure(figures, name);
  const lastRequestMs = of('lastRequestMs');
  return {
    served: of('served'),
    refused: of('refused'),
    crashed: of('crashed'),
    refusals: refusalsOf(figures),
    queueTime: times(queueSteps(figures), of('queueUs')),
    runTime: times(runSteps(figures), of('runUs')),
    cpu: { userMs: of('cpuUserUs') / 1000, systemMs: of('cpuSystemUs') / 1000 },
    bytes: { in: of('bytesIn'), out: of('bytesOut') },
    peakRssBytes: of('peakRssKb') * 1024,
    ...(lastRequestMs > 0 && lastRequestMs < 8.64e15
      ? { lastRequestAt: new Date(lastRequestMs).toISOString() }
      : {}),
  };
}

function times(counts: Float64Array, sumUs: number): Times {
  const steps: Record<string, number> = {};
  for (let i = 0; i < stepCount; i++) {
    const count = counts[i] ?? 0;
    if (count > 0) steps[stepName(i)] = count;
  }
  const p50Ms = quantile(counts, 0.5);
  const p99Ms = quantile(counts, 0.99);
  return {
    count: totalOf(counts),
    sumMs: sumUs / 1000,
    ...(p50Ms === undefined ? {} : { p50Ms: rounded(p50Ms) }),
    ...(p99Ms === undefined ? {} : { p99Ms: rounded(p99Ms) }),
    steps,
  };
}

/** The counts of a report, step by step. */
export function countsOf(times: Times): Float64Array {
  return Float64Array.from({ length: stepCount }, (_, i) => times.steps[stepName(i)] ?? 0);
}

function stepName(step: number): string {
  return String(stepEndsMs[step] ?? 'more');
}

/** Three digits: a step is no more accurate. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(3));
}
