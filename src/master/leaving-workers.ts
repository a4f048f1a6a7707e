/** Workers of the direct lane that have been told to end one by one, and which of the others could be. Privilege: root. */

import type { DirectCounters } from '../control/direct-counters.js';
import type { Places } from './places.js';

export interface Idle {
  readonly worker: number;
  readonly ms: number;
}

export class LeavingWorkers {
  readonly #places: Places;
  /** A worker ends at once when it is idle, else with its request. */
  readonly #signal: (worker: number) => void;
  readonly #leaving = new Set<number>();

  constructor(places: Places, signal: (worker: number) => void) {
    this.#places = places;
    this.#signal = signal;
  }

  get count(): number {
    return this.#leaving.size;
  }

  send(worker: number | undefined): void {
    if (worker === undefined) return;
    this.#leaving.add(worker);
    this.#signal(worker);
  }

  /** One that was just about to wait for its next connection has not noticed the first time. */
  remind(): void {
    for (const worker of this.#leaving) this.#signal(worker);
  }

  /** Returns whether it had been told to end. */
  ended(worker: number): boolean {
    return this.#leaving.delete(worker);
  }

  /** Any that stays. */
  anyOther(): number | undefined {
    return this.#places.born.find(({ worker }) => !this.#leaving.has(worker))?.worker;
  }

  /** Of those that stay, the one that has been idle longest. `awakeSinceMs`: none has been for longer. */
  longestIdle(all: readonly DirectCounters[], awakeSinceMs: number, nowMs: number): Idle | undefined {
    let found: Idle | undefined;
    for (const { worker, slot } of this.#places.born) {
      const { busySinceMs = 1, lastEndMs = 0 } = all[slot] ?? {};
      const ms = Math.max(0, nowMs - Math.max(lastEndMs, awakeSinceMs));
      if (busySinceMs > 0 || this.#leaving.has(worker) || (found !== undefined && found.ms >= ms)) continue;
      found = { worker, ms };
    }
    return found;
  }
}
