/**
 * Walks over name-value pairs (FastCGI 1.0, section 3.4) in a Buffer without making a string or a copy: each step
 * sets four offsets. A block whose lengths point beyond its end is malformed, and the cursor then stops for good.
 */

export class PairCursor {
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** The block cannot be split into pairs. Everything found before the fault must be thrown away too. */
  malformed = false;

  readonly #block: Uint8Array;
  readonly #end: number;
  #at: number;

  /** @param block its bytes from `start` to `end` (exclusive) are pairs and nothing else */
  constructor(block: Uint8Array, start = 0, end = block.length) {
    this.#block = block;
    this.#at = start;
    this.#end = end;
  }

  /** Moves to the next pair. False at the end and at a fault: see `malformed`. */
  next(): boolean {
    if (this.#at >= this.#end || this.malformed) return false;
    const nameLength = this.#length();
    const valueLength = nameLength < 0 ? -1 : this.#length();
    // Both are below 2^31, and the sum is a double: it cannot wrap round.
    if (valueLength < 0 || nameLength + valueLength > this.#end - this.#at) {
      this.malformed = true;
      return false;
    }
    this.nameStart = this.#at;
    this.nameEnd = this.#at + nameLength;
    this.valueStart = this.nameEnd;
    this.valueEnd = this.nameEnd + valueLength;
    this.#at = this.valueEnd;
    return true;
  }

  /** Reads one length; -1 when it is cut off. */
  #length(): number {
    const block = this.#block;
    const at = this.#at;
    if (at >= this.#end) return -1;
    const first = block[at] as number;
    if (first < 0x80) {
      this.#at = at + 1;
      return first;
    }
    if (this.#end - at < 4) return -1;
    this.#at = at + 4;
    return (
      ((first & 0x7f) << 24) |
      ((block[at + 1] as number) << 16) |
      ((block[at + 2] as number) << 8) |
      (block[at + 3] as number)
    );
  }
}

/** How many pairs a block holds; -1 when it is malformed. */
export function countPairs(block: Uint8Array, start = 0, end = block.length): number {
  const cursor = new PairCursor(block, start, end);
  let count = 0;
  while (cursor.next()) count += 1;
  return cursor.malformed ? -1 : count;
}
