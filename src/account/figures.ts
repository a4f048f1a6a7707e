/**
 * The figures of one site as a row of numbers, always of the same length: so they are counted without allocating,
 * sent as they are, and added up. Pure.
 *
 * | part | how two rows become one |
 * |---|---|
 * | now: what is going on at this moment | added |
 * | peaks: the largest, the latest | the larger one |
 * | sums: since the beginning | added |
 */

import { stepCount } from './histogram.js';
import { refusalReasons } from './refusal-reasons.js';

const now = ['busy', 'idle', 'starting', 'queued'] as const;
/** lastRequestMs: when the last request ended, in milliseconds since 1970; 0: there was none. */
const peaks = ['maxBusy', 'maxQueued', 'peakRssKb', 'lastRequestMs'] as const;
/**
 * limitReached: requests that found all of max_workers busy. queueUs, runUs: the sums of the two histograms.
 * bytesIn: parameters and bodies; bytesOut: what scripts answered.
 */
const sums = [
  'served',
  'refused',
  'crashed',
  'limitReached',
  'cpuUserUs',
  'cpuSystemUs',
  'bytesIn',
  'bytesOut',
  'queueUs',
  'runUs',
] as const;

const scalars = [...now, ...peaks, ...sums] as const;
export type FigureName = (typeof scalars)[number];

/** Where each number stands. */
export const at = Object.fromEntries(scalars.map((name, i) => [name, i])) as Readonly<
  Record<FigureName, number>
>;
/** Where the refusals by reason begin, in the order of `refusalReasons`, and the steps of the two histograms. */
export const refusalsAt = scalars.length;
export const queueStepsAt = refusalsAt + refusalReasons.length;
export const runStepsAt = queueStepsAt + stepCount;
export const figureCount = runStepsAt + stepCount;

const firstPeak = now.length;
const firstSum = now.length + peaks.length;

/** A row of `figureCount` numbers. */
export type Figures = Float64Array;

export function noFigures(): Figures {
  return new Float64Array(figureCount);
}

/** Stands for all rows in which nothing has been counted: thousands of quiet sites share it. Never written to. */
export const blankFigures: Figures = noFigures();

/** Adds `more` to `into`. */
export function addFigures(into: Figures, more: Figures): void {
  for (let i = 0; i < figureCount; i++) {
    const a = into[i] ?? 0;
    const b = more[i] ?? 0;
    into[i] = i >= firstPeak && i < firstSum ? Math.max(a, b) : a + b;
  }
}

/** Adds what has been, and nothing of what goes on at the moment: `more` is over. */
export function keepFigures(into: Figures, more: Figures): void {
  const past = more.slice();
  past.fill(0, 0, firstPeak);
  addFigures(into, past);
}

export function figure(figures: Figures, name: FigureName): number {
  return figures[at[name]] ?? 0;
}

export function queueSteps(figures: Figures): Float64Array {
  return figures.subarray(queueStepsAt, queueStepsAt + stepCount);
}

export function runSteps(figures: Figures): Float64Array {
  return figures.subarray(runStepsAt, runStepsAt + stepCount);
}

/** Refusals by reason, those that there were. */
export function refusalsOf(figures: Figures): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [i, reason] of refusalReasons.entries()) {
    const count = figures[refusalsAt + i] ?? 0;
    if (count > 0) found[reason] = count;
  }
  return found;
}

/** Whether nothing has ever been counted, and nothing goes on. */
export function isBlank(figures: Figures): boolean {
  for (let i = 0; i < refusalsAt; i++) if (figures[i] !== 0) return false;
  return true;
}
