/**
 * What all sites together may have of the machine: workers, and memory for them. Who gets it is decided in
 * pool/sharing.ts, and carried out by the room keeper. Also the numbers that workers are known by.
 */

import { type Claim, Sharing, type Wish } from '../pool/sharing.js';
import { learn, unknownBytes, type WorkerSize } from '../pool/worker-size.js';
import type { Site } from '../site/site.js';

/** A site as far as it takes room. */
export interface Claimant {
  readonly id: number;
  readonly site: Pick<Site, 'name' | 'weight' | 'dispatch'>;
}

/** Sites of which is remembered how large their workers are: automatic ones come and go. */
const mostSizes = 10_000;

export class WorkerBudget {
  readonly sharing: Sharing;
  readonly #nowMs: () => number;
  readonly #listeners: (() => void)[] = [];
  readonly #sizes = new Map<string, WorkerSize>();
  #lastId = 0;

  constructor(
    maxWorkers: number,
    memoryBytes = Number.POSITIVE_INFINITY,
    nowMs: () => number = () => performance.now(),
  ) {
    this.sharing = new Sharing({ maxWorkers, memoryBytes });
    this.#nowMs = nowMs;
  }

  get taken(): number {
    return this.sharing.workers;
  }

  /** Calls whenever somebody has come or gone, or asks. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  limit(maxWorkers: number, memoryBytes: number): void {
    this.sharing.limits = { maxWorkers, memoryBytes };
    this.#changed();
  }

  /** Room for one more worker of a site, if there is any and it is nobody else's turn. */
  take(claimant: Claimant): boolean {
    const isTaken = this.sharing.take(this.#claim(claimant), this.#nowMs());
    if (isTaken) this.#changed();
    return isTaken;
  }

  /** A worker of it has ended, or never came to be. */
  give({ id }: Claimant): void {
    this.sharing.give(id);
    this.#changed();
  }

  /** It has found no room and waits; undefined: it does not any more. */
  ask(claimant: Claimant, wish: Wish | undefined): void {
    this.sharing.ask(this.#claim(claimant), wish, this.#nowMs());
    this.#changed();
  }

  /** A worker of this site takes so much at present. */
  learn({ id, site }: Claimant, bytes: number): void {
    const size = learn(this.#sizes.get(site.name), bytes, this.#nowMs());
    if (size === undefined) return;
    this.#sizes.delete(site.name);
    this.#sizes.set(site.name, size);
    for (const name of this.#sizes.keys()) {
      if (this.#sizes.size <= mostSizes) break;
      this.#sizes.delete(name);
    }
    this.sharing.weigh(id, size.bytes);
    if (this.sharing.isOver) this.#changed();
  }

  /** What a worker of a site of this name takes at most, as far as is known. */
  sizeOf(name: string): number | undefined {
    return this.#sizes.get(name)?.bytes;
  }

  /** Never 0, and not used again while a worker of that number can still be spoken of. */
  nextWorkerId(): number {
    this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
    return this.#lastId;
  }

  #claim({ id, site }: Claimant): Claim {
    const bytes = this.sizeOf(site.name) ?? unknownBytes;
    return { site: id, weight: site.weight, bytes, canYield: site.dispatch !== 'program' };
  }
}
