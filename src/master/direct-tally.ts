/**
 * The figures of a site of the direct lane, from the counters that its workers keep. The counters are the site's own
 * memory: it may write anything there at any time. So only what they grow by counts, up to a bound, and no sum ever
 * goes back. Pure: times are arguments.
 */

import { at, type Figures, noFigures, refusalsAt } from '../account/figures.js';
import { positionOf } from '../account/refusal-reasons.js';
import { type DirectCounters, directReason } from '../control/direct-counters.js';

/** More than a worker does between two looks. */
const mostRequests = 1e6;
const mostBytes = 2 ** 40;

type Sum = 'served' | 'refused' | 'bytesOut';

export interface Clocks {
  /** That of the workers, CLOCK_MONOTONIC, and the time since 1970; both in milliseconds. */
  readonly monotonicMs: number;
  readonly epochMs: number;
}

export class DirectTally {
  readonly figures: Figures = noFigures();
  /** What each slot held at the last look. */
  #before: readonly DirectCounters[] = [];

  /** Takes in what the slots hold now. */
  add(all: readonly DirectCounters[], workers: number, clocks: Clocks): void {
    for (const [slot, counters] of all.entries()) this.#addSlot(counters, this.#before[slot], clocks);
    this.#before = all;
    const busy = Math.min(workers, all.filter(({ busySinceMs }) => busySinceMs > 0).length);
    const { figures } = this;
    figures[at.busy] = busy;
    figures[at.idle] = workers - busy;
    figures[at.maxBusy] = Math.max(figures[at.maxBusy] ?? 0, busy);
  }

  /** A worker has ended in the middle of a request. */
  lost(reason: 'worker-died' | 'time-limit', epochMs: number): void {
    this.#count(reason === 'worker-died' ? at.crashed : at.refused, 1);
    this.#count(refusalsAt + positionOf(reason), 1);
    this.figures[at.lastRequestMs] = epochMs;
  }

  #addSlot(now: DirectCounters, before: DirectCounters | undefined, { monotonicMs, epochMs }: Clocks): void {
    const growth = (name: Sum, most: number): number => {
      const grown = now[name] - (before?.[name] ?? 0);
      return grown > 0 ? Math.min(grown, most) : 0;
    };
    const refused = growth('refused', mostRequests);
    const reason = directReason(now.lastRefusal);
    this.#count(at.served, growth('served', mostRequests));
    this.#count(at.refused, refused);
    this.#count(at.bytesOut, growth('bytesOut', mostBytes));
    // Several reasons between two looks count as the last one.
    if (reason !== undefined) this.#count(refusalsAt + positionOf(reason), refused);
    const agoMs = monotonicMs - now.lastEndMs;
    if (now.lastEndMs === (before?.lastEndMs ?? 0) || agoMs < 0 || agoMs > monotonicMs) return;
    this.figures[at.lastRequestMs] = Math.max(
      this.figures[at.lastRequestMs] ?? 0,
      Math.round(epochMs - agoMs),
    );
  }

  #count(position: number, amount: number): void {
    this.figures[position] = (this.figures[position] ?? 0) + amount;
  }
}
