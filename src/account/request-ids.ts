/**
 * Numbers for requests, twelve hexadecimal digits each: a random beginning for each start of a router, then a count
 * that a secret of the same start scrambles, so that a visitor who sees two of them does not learn how many requests
 * the machine has had in between. They are names and no secrets. One multiplication each: every request has one.
 */

import { randomBytes } from 'node:crypto';

export class RequestIds {
  readonly #prefix: string;
  readonly #factor: number;
  readonly #mask: number;
  #count = 0;

  /** @param random ten random bytes */
  constructor(random: Buffer = randomBytes(10)) {
    this.#prefix = random.toString('hex', 0, 2);
    // Odd, so that no two counts below 2^32 become the same.
    this.#factor = random.readUInt32LE(2) | 1;
    this.#mask = random.readUInt32LE(6);
  }

  next(): string {
    this.#count = (this.#count + 1) >>> 0;
    const scrambled = (Math.imul(this.#count, this.#factor) ^ this.#mask) >>> 0;
    return this.#prefix + scrambled.toString(16).padStart(8, '0');
  }
}
