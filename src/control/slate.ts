/**
 * A pool worker's slate: memory shared with the router, in which it writes down how its jobs go, so that most of them
 * end without a message that wakes the router up. Layout as `struct slate` in native/preload/protocol.h, which a
 * test compares with this. What stands there is the worker's word about its own job, like a note.
 *
 * The worker empties it before it is announced, and sends every note until the router has said that it follows.
 *
 * Each side writes its own word first and reads the other's then: of a job that the router wants to be told about,
 * either the worker sees the wish, or the router sees that the job is over.
 */

import { type Note, noteBytes, readNote } from './worker-messages.js';

export const slateBytes = 256;
const startedWord = 16;
const overWord = 17;
const wantedWord = 32;
const followedWord = 33;

/** The number of the last job that the worker of a slate has ended, from a copy of it; 0: it has ended none. */
export function lastJobOf(copy: Buffer): number {
  return copy.readUInt32LE(overWord * 4);
}

export class Slate {
  readonly #words: Int32Array;
  readonly #note: Buffer;
  readonly #copy = Buffer.alloc(noteBytes);

  /** @param memory that of all workers, as shared with their template */
  constructor(memory: ArrayBuffer, slot: number) {
    this.#words = new Int32Array(memory, slot * slateBytes, slateBytes / 4);
    this.#note = Buffer.from(memory, slot * slateBytes, noteBytes);
    Atomics.store(this.#words, followedWord, 1);
  }

  /** The worker sends a note at the end of this job. To be looked at afterwards: it may be over already. */
  want(sequence: number): void {
    Atomics.store(this.#words, wantedWord, sequence | 0);
  }

  /** A part of the job's answer may have been written. */
  hasStarted(sequence: number): boolean {
    return Atomics.load(this.#words, startedWord) === (sequence | 0);
  }

  /** How the job ended; undefined while it has not. */
  ended(sequence: number): Note | undefined {
    if (Atomics.load(this.#words, overWord) !== (sequence | 0)) return undefined;
    this.#note.copy(this.#copy);
    const note = readNote(this.#copy, noteBytes);
    return note?.sequence === sequence ? note : undefined;
  }
}
