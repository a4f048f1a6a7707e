/** A site of the direct lane as the router knows it: its workers' logbooks, and what has been read there. */

import { LineBudget } from '../account/line-budget.js';
import { Logbook, type LogbookEntry, type LogbookSums } from '../control/logbook.js';
import type { RouterDirectSite } from '../control/router-messages.js';
import type { LedgerSite } from './ledger.js';

/** A worker, and the place that it writes to. */
export interface Seat {
  readonly worker: number;
  readonly pid: number;
  readonly book: Logbook;
  /** The request that has been told of as slow, by the worker's count. */
  slowSequence: number;
  /** The request that is being ended, and who has asked for that. */
  killed: { readonly sequence: number; readonly byUid: number } | undefined;
}

/** How often the kernel is asked about a slow request, in a second. */
const looksPerSecond = 10;

export class DirectSite implements LedgerSite {
  readonly id: number;
  readonly config: RouterDirectSite;
  readonly records: LineBudget;
  readonly looks = new LineBudget(looksPerSecond);
  readonly seats = new Map<number, Seat>();
  linesLeftOut = 0;
  isClosing = false;
  readonly #memory: ArrayBuffer;
  /** One for each place, so that what has been counted of it is known when the next worker takes it. */
  readonly #books = new Map<number, Logbook>();
  #runUs = 0;

  constructor(id: number, config: RouterDirectSite, memory: ArrayBuffer) {
    this.id = id;
    this.config = config;
    this.#memory = memory;
    this.records = new LineBudget(config.ledgerLinesPerSecond);
  }

  get name(): string {
    return this.config.name;
  }

  get uid(): number {
    return this.config.uid;
  }

  seat(worker: number, slot: number, pid: number): void {
    if (slot >= this.config.slots) return;
    const { slots } = this.config;
    const book = this.#books.get(slot) ?? new Logbook(this.#memory, slots, slot);
    this.#books.set(slot, book);
    this.seats.set(worker, { worker, pid, book, slowSequence: 0, killed: undefined });
  }

  /** Whole milliseconds of so many microseconds more; what is left over counts the next time. */
  runMs({ runUs }: LogbookSums): number {
    this.#runUs += runUs;
    const ms = Math.floor(this.#runUs / 1000);
    this.#runUs -= 1000 * ms;
    return ms;
  }
}

export interface Running {
  readonly site: DirectSite;
  readonly seat: Seat;
  readonly entry: LogbookEntry;
}
