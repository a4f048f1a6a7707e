/**
 * How much memory the processes of each site take. Asked for by status reports only, and read off to one side: a
 * process can make the kernel wait when its memory is looked at, and nobody else may wait with it. So a report has
 * what was read last.
 *
 * Privilege: root, to read /proc. Of what a process may write there itself nothing is read.
 */

import { readFile } from 'node:fs/promises';
import type { MemoryReport } from '../control/figures-report.js';

/** How long a report waits for a reading. */
const patienceMs = 200;
/** A reading is as old as this before the next one begins, and takes no more than a tenth of the time. */
const restMs = 1000;
const share = 10;
/** Processes that are read at once. */
const atOnce = 2;

export interface Measured {
  readonly id: number;
  readonly pids: readonly number[];
}

export class ProcessMeter {
  #bySite = new Map<number, MemoryReport>();
  #reading: Promise<void> | undefined;
  #notBeforeMs = 0;

  /** What the site's processes took when they were read last; undefined when it had none. */
  of(id: number): MemoryReport | undefined {
    return this.#bySite.get(id);
  }

  /** Reads again if it is time, and waits for it a little. */
  async measure(sites: readonly Measured[]): Promise<void> {
    const nowMs = performance.now();
    if (this.#reading === undefined && nowMs >= this.#notBeforeMs) {
      this.#reading = this.#read(sites).finally(() => {
        const tookMs = performance.now() - nowMs;
        this.#notBeforeMs = performance.now() + Math.max(restMs, share * tookMs);
        this.#reading = undefined;
      });
    }
    if (this.#reading === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([this.#reading, patience]);
    clearTimeout(timer);
  }

  async #read(sites: readonly Measured[]): Promise<void> {
    const present = new Set(sites.map(({ id }) => id));
    for (const id of this.#bySite.keys()) if (!present.has(id)) this.#bySite.delete(id);
    const left = sites.values();
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const { id, pids } of left) this.#bySite.set(id, await memoryOf(pids));
      }),
    );
  }
}

async function memoryOf(pids: readonly number[]): Promise<MemoryReport> {
  let rssBytes = 0;
  let pssBytes = 0;
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
    rssBytes += kilobytes(text, 'Rss') * 1024;
    pssBytes += kilobytes(text, 'Pss') * 1024;
  }
  return { rssBytes, pssBytes };
}

/** proc_pid_smaps(5); 0 where the process has ended. */
function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
}
