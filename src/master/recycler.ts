/**
 * Has workers replaced that have become too old or too large, one at a time for each site (pool/recycling.ts). A worker
 * that is large while it runs a request may be small again afterwards, so it is measured once more when it has none:
 * only then does the router say so, once, and only of a worker that was asked about.
 *
 * Privilege: root.
 */

import type { Logger } from 'pino';
import { wornOut } from '../pool/recycling.js';
import { memoryOf } from './memory-of.js';
import type { SiteRuntime } from './site-runtime.js';

export class Recycler {
  readonly #log: Logger;
  /** The worker of each site that is going. */
  readonly #going = new Map<number, number>();
  /** The worker of each site about which the router was asked last. */
  readonly #asked = new Map<number, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** So much was read of one of its processes, whatever it was doing. */
  seen(runtime: SiteRuntime, pid: number, bytes: number): void {
    const { maxMemoryBytes } = runtime.site;
    const worker = runtime.workers.withPid(pid);
    if (worker === undefined || maxMemoryBytes === 0 || bytes <= maxMemoryBytes) return;
    if (this.#isGoing(runtime)) return;
    const isFree = runtime.lane.isFree(worker);
    if (isFree === undefined) this.#asked.set(runtime.id, worker);
    else if (isFree) this.#weighed(runtime, worker, bytes);
  }

  /** The router says that a worker which was asked about has no request. */
  async isFree(runtime: SiteRuntime, worker: number): Promise<void> {
    // Nobody is measured because the router wishes it.
    if (this.#asked.get(runtime.id) !== worker) return;
    this.#asked.delete(runtime.id);
    const pid = runtime.workers.pidOf(worker);
    if (pid > 0) this.#weighed(runtime, worker, (await memoryOf(pid)).bytes);
  }

  /** Whether one of its workers is to go now. */
  look(runtime: SiteRuntime | undefined): void {
    if (runtime === undefined || runtime.site.command !== undefined || this.#isGoing(runtime)) return;
    const found = wornOut(runtime.workers.wear(performance.now()), runtime.site);
    if (found === undefined) return;
    const { worker, reason } = found;
    this.#going.set(runtime.id, worker);
    this.#log.info({ site: runtime.site.name, worker, reason }, 'worker replaced');
    runtime.lane.recycle(worker);
  }

  #weighed(runtime: SiteRuntime, worker: number, bytes: number): void {
    runtime.workers.weighed(worker, bytes);
    this.look(runtime);
  }

  #isGoing({ id, workers }: SiteRuntime): boolean {
    const worker = this.#going.get(id);
    if (worker !== undefined && workers.has(worker)) return true;
    this.#going.delete(id);
    return false;
  }
}
