/**
 * The memory that the workers of one site of the direct lane share: counters, which the master reads, and logbooks
 * behind them, which the router reads. It goes on when workers and templates come and go.
 *
 * Privilege: root. What stands there is the site's word about itself.
 */

import { readSync } from 'node:fs';
import { counterSlotBytes, type DirectCounters, readCounters } from '../control/direct-counters.js';
import { directMemoryBytes } from '../control/logbook.js';
import { sharedMemory } from '../os/shared-memory.js';
import { close } from '../os/socket.js';

export class DirectMemory {
  /** -1 when it has been released. */
  fd: number;
  readonly #slots: number;
  /** A copy of the counters: read with pread(2), never through a mapping. */
  readonly #copy: Buffer;

  constructor(slots: number) {
    this.fd = sharedMemory('guise-logbooks', directMemoryBytes(slots));
    this.#slots = slots;
    this.#copy = Buffer.alloc(slots * counterSlotBytes);
  }

  /** The counters of each slot, as they are now, or as they were at the end. */
  read(): DirectCounters[] {
    if (this.fd >= 0) readSync(this.fd, this.#copy, 0, this.#copy.length, 0);
    return Array.from({ length: this.#slots }, (_, slot) => readCounters(this.#copy, slot));
  }

  release(): void {
    if (this.fd >= 0) close(this.fd);
    this.fd = -1;
  }
}
