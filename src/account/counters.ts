/**
 * Counts what became of requests, per site, since the router started. Called for every request: it allocates
 * nothing but the row, at the first.
 */

import { at, type Figures, noFigures, queueStepsAt, refusalsAt, runStepsAt } from './figures.js';
import { stepOf } from './histogram.js';
import type { Outcome } from './outcome.js';
import { positionOf } from './refusal-reasons.js';

export class Counters {
  #figures: Figures | undefined;

  /** To be written to; made when somebody first asks for it. */
  get figures(): Figures {
    this.#figures ??= noFigures();
    return this.#figures;
  }

  /** Nothing has ever been counted. */
  get isBlank(): boolean {
    return this.#figures === undefined;
  }

  get served(): number {
    return this.#figures?.[at.served] ?? 0;
  }

  get refused(): number {
    return this.#figures?.[at.refused] ?? 0;
  }

  get crashed(): number {
    return this.#figures?.[at.crashed] ?? 0;
  }

  /** @param nowMs when it ended, in milliseconds since 1970 */
  count(outcome: Outcome, nowMs: number): void {
    const { figures } = this;
    if (outcome.endedBy === 'crash') add(figures, at.crashed, 1);
    else add(figures, outcome.reason === '' ? at.served : at.refused, 1);
    const reason = outcome.reason === '' ? -1 : positionOf(outcome.reason);
    if (reason >= 0) add(figures, refusalsAt + reason, 1);
    add(figures, at.cpuUserUs, outcome.cpuUserUs);
    add(figures, at.cpuSystemUs, outcome.cpuSystemUs);
    add(figures, at.bytesIn, outcome.bytesIn);
    add(figures, at.bytesOut, outcome.bytesOut);
    if (outcome.maxRssKb > (figures[at.peakRssKb] ?? 0))
      figures[at.peakRssKb] = Math.min(outcome.maxRssKb, most);
    figures[at.lastRequestMs] = nowMs;
    if (!outcome.wasAdmitted) return;
    add(figures, at.queueUs, Math.round(outcome.queueMs * 1000));
    add(figures, queueStepsAt + stepOf(outcome.queueMs), 1);
    if (!outcome.hasRun) return;
    add(figures, at.runUs, Math.round(outcome.runMs * 1000));
    add(figures, runStepsAt + stepOf(outcome.runMs), 1);
  }
}

/** More than one request can use or send: whoever says so would spoil the sums of all. */
const most = 2 ** 40;

/** A worker's word is among what is added. */
function add(figures: Figures, position: number, amount: number): void {
  if (amount > 0) figures[position] = (figures[position] ?? 0) + Math.min(amount, most);
}
