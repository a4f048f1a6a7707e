import type { ReadLimits } from './limits.js';
import type { Breach } from './result.js';

/** Counts what a peer sends to no purpose, so that no connection can keep the router busy for nothing. */
export class Patience {
  readonly #limits: ReadLimits;
  #records = 0;
  #drainedBytes = 0;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  /** A record that brings the request no further. */
  stray(): Breach | undefined {
    this.#records += 1;
    return this.#records > this.#limits.maxRecordsWithoutProgress ? 'no-progress' : undefined;
  }

  /** A record that does. */
  progress(): void {
    this.#records = 0;
  }

  /** Bytes of a request that was refused. */
  drained(bytes: number): Breach | undefined {
    this.#drainedBytes += bytes;
    return this.#drainedBytes > this.#limits.maxDrainBytes ? 'drain-limit' : undefined;
  }

  /** A new request. */
  renew(): void {
    this.#records = 0;
    this.#drainedBytes = 0;
  }
}
