/**
 * How many log lines of one kind may be written per second, so that nobody fills the disk by being refused.
 * Pure: the time is an argument.
 */

export class LineBudget {
  readonly #perSecond: number;
  #windowMs = -Infinity;
  #used = 0;
  #suppressed = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Undefined: write nothing. Else: write, and say that so many lines have been left out before. */
  take(nowMs: number): number | undefined {
    if (nowMs - this.#windowMs >= 1000) {
      this.#windowMs = nowMs;
      this.#used = 0;
    }
    if (this.#used >= this.#perSecond) {
      this.#suppressed++;
      return undefined;
    }
    this.#used++;
    const left = this.#suppressed;
    this.#suppressed = 0;
    return left;
  }
}
