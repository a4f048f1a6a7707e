/** The ledger's side of the sums: takes batches, each once, and adds journals to the days from time to time. */

import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import type { UsageRow } from '../account/usage.js';
import { Journal, readJournal, type Seen, takeOver } from './journal.js';
import { addToDays, forgetDays, journalsIn, lockUsage, waitForUsage } from './usage-files.js';

/** A journal is added to the days when it has this size. */
const journalMaxBytes = 4 * 1024 * 1024;

export class UsageStore {
  readonly #directory: string;
  readonly #days: number;
  #seen: Seen = new Map();
  #journal: Journal;

  /**
   * Begins where dead ledgers have stopped.
   *
   * @param days of which sums are kept
   * @throws NodeJS.ErrnoException when the directory cannot be written
   */
  constructor(directory: string, days: number) {
    this.#directory = directory;
    this.#days = days;
    const unlock = waitForUsage(directory);
    try {
      for (const name of journalsIn(directory)) {
        for (const [epoch, sequence] of readJournal(`${directory}/${name}`).seen) this.#see(epoch, sequence);
      }
      this.#journal = this.#newJournal();
      this.#settleAll();
    } finally {
      unlock();
    }
  }

  /**
   * False: it has been counted before.
   *
   * @throws NodeJS.ErrnoException when it cannot be kept; then it does not count
   */
  take(epoch: string, sequence: number, usage: readonly UsageRow[]): boolean {
    if (sequence <= (this.#seen.get(epoch) ?? 0)) return false;
    if (this.#journal.bytes > journalMaxBytes) this.settle();
    this.#journal.append(epoch, sequence, usage);
    this.#see(epoch, sequence);
    return true;
  }

  /**
   * Adds what has been written to the days. False: later, for somebody reads just now.
   *
   * @throws NodeJS.ErrnoException when the days cannot be written; what has not been added stays in its journal
   */
  settle(): boolean {
    const unlock = lockUsage(this.#directory);
    if (unlock === undefined) return false;
    try {
      const own = this.#journal;
      this.#journal = this.#newJournal();
      own.close();
      this.#settleAll();
      return true;
    } finally {
      unlock();
    }
  }

  /** Nothing more comes. */
  close(): void {
    // A new journal holds nothing but who has been seen, and no router will ask for that again.
    if (this.settle()) this.#journal.remove();
    else this.#journal.close();
  }

  /** Every journal that nobody writes to any more: our own last one, and those of the dead. */
  #settleAll(): void {
    for (const name of journalsIn(this.#directory)) this.#settleOne(name);
    forgetDays(this.#directory, this.#days, Date.now());
  }

  #settleOne(name: string): void {
    const path = `${this.#directory}/${name}`;
    const release = takeOver(path);
    if (release === undefined) return; // its writer lives, or is this process
    try {
      addToDays(this.#directory, name, readJournal(path).rows);
      unlinkSync(path);
    } finally {
      release();
    }
  }

  #newJournal(): Journal {
    // Never used again: the files of days remember which journals they hold by their names.
    const name = `journal.${Date.now().toString(36)}.${randomBytes(8).toString('hex')}`;
    return new Journal(`${this.#directory}/${name}`, this.#seen);
  }

  /** The most recent last, so that the oldest are forgotten first. */
  #see(epoch: string, sequence: number): void {
    const before = this.#seen.get(epoch) ?? 0;
    this.#seen.delete(epoch);
    this.#seen.set(epoch, Math.max(before, sequence));
  }
}
