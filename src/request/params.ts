/**
 * Collects the contents of PARAMS records. Each byte is copied once, out of the buffer into which the next receive
 * will write; a block that arrives whole in one record, as from Apache and nginx, gets one exact allocation.
 */

const EMPTY = Buffer.alloc(0);
/** What is set aside at first for a record that has not arrived whole: its announced length may be a lie. */
const FIRST_CAPACITY = 8 * 1024;

export class ParamsBlock {
  length = 0;
  #buffer = EMPTY;

  /** @param rest bytes of the same record that have not come yet: a hint for how much to set aside */
  append(chunk: Buffer, start: number, end: number, rest: number): void {
    const needed = this.length + end - start;
    if (needed > this.#buffer.length) this.#grow(needed, rest);
    chunk.copy(this.#buffer, this.length, start, end);
    this.length = needed;
  }

  /** The block. The collector is empty afterwards. */
  take(): Buffer {
    const block = this.length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.length);
    this.#buffer = EMPTY;
    this.length = 0;
    return block;
  }

  #grow(needed: number, rest: number): void {
    const capacity = Math.max(needed, Math.min(needed + rest, FIRST_CAPACITY), this.#buffer.length * 2);
    const larger = Buffer.allocUnsafe(capacity);
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }
}
