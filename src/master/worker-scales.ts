/**
 * Measures what workers take of the machine's memory while there are any: a few each second, by turns, so that it costs
 * the same however many there are. Read off to one side, one after the other: a process can make the kernel wait when
 * its memory is looked at, and then only this waits.
 *
 * Privilege: root, to read /proc.
 */

import { memoryOf } from './memory-of.js';
import type { Recycler } from './recycler.js';
import type { SiteRuntime } from './site-runtime.js';
import type { WorkerBudget } from './worker-budget.js';

const periodMs = 1000;
/** Some 2 ms of a processor. */
const perPeriod = 32;

export class WorkerScales {
  readonly #budget: WorkerBudget;
  readonly #byId: (id: number) => SiteRuntime | undefined;
  readonly #recycler: Recycler;
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(budget: WorkerBudget, byId: (id: number) => SiteRuntime | undefined, recycler: Recycler) {
    this.#budget = budget;
    this.#recycler = recycler;
    this.#byId = byId;
    budget.onChange(() => this.#wait());
  }

  #wait(): void {
    if (this.#timer !== undefined || this.#budget.taken === 0) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => {
        this.#timer = undefined;
        this.#wait();
      });
    }, periodMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const all = [...this.#budget.sharing.holders()].flatMap((id) => {
      const runtime = this.#byId(id);
      return runtime === undefined ? [] : runtime.workers.pids.map((pid) => ({ runtime, pid }));
    });
    const first = this.#next < all.length ? this.#next : 0;
    const some = all.slice(first, first + perPeriod);
    this.#next = first + some.length;
    for (const { runtime, pid } of some) {
      const { bytes, peakBytes } = await memoryOf(pid);
      this.#budget.learn(runtime, peakBytes);
      this.#recycler.seen(runtime, pid, bytes);
    }
    for (const id of this.#budget.sharing.holders()) this.#recycler.look(this.#byId(id));
  }
}
