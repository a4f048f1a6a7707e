/**
 * Measures what workers take of the machine's memory while there are any: a few each second, by turns, so that it costs
 * the same however many there are. Read off to one side, one after the other: a process can make the kernel wait when
 * its memory is looked at, and then only this waits.
 *
 * What counts is the part of the memory that it has with others (PSS, proc_pid_smaps(5)), and how much larger it has
 * once been than it is now (VmHWM, proc_pid_status(5)).
 *
 * Privilege: root, to read /proc. Of what a process may write there itself nothing is read.
 */

import { readFile } from 'node:fs/promises';
import type { SiteRuntime } from './site-runtime.js';
import type { WorkerBudget } from './worker-budget.js';

const periodMs = 1000;
/** Some 2 ms of a processor. */
const perPeriod = 32;

export class WorkerScales {
  readonly #budget: WorkerBudget;
  readonly #byId: (id: number) => SiteRuntime | undefined;
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(budget: WorkerBudget, byId: (id: number) => SiteRuntime | undefined) {
    this.#budget = budget;
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
    for (const { runtime, pid } of some) this.#budget.learn(runtime, await sizeOf(pid));
  }
}

/** In bytes; 0 where the process has ended. */
async function sizeOf(pid: number): Promise<number> {
  const shared = await read(pid, 'smaps_rollup');
  const status = await read(pid, 'status');
  const pss = kilobytes(shared, 'Pss');
  if (pss === 0) return 0;
  return (pss + Math.max(0, kilobytes(status, 'VmHWM') - kilobytes(status, 'VmRSS'))) * 1024;
}

function read(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
}
