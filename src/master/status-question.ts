/**
 * The question of how things stand, as put to the router: one at a time, however many ask. Who asks while one is under
 * way waits for the next, for what is said now may be older than the request that he knows of. A router that does not
 * answer keeps nobody waiting for longer than the patience, and nothing piles up here.
 */

const longestMs = 1000;

type Answer = (connections: number | undefined) => void;

export class StatusQuestion {
  readonly #put: () => void;
  #asked = new Set<Answer>();
  #next = new Set<Answer>();
  #isUnderWay = false;

  readonly #patienceMs: number;

  /** @param put puts it to the router */
  constructor(put: () => void, patienceMs = longestMs) {
    this.#put = put;
    this.#patienceMs = patienceMs;
  }

  /** How many wait for an answer. */
  get waiting(): number {
    return this.#asked.size + this.#next.size;
  }

  /** Resolves with how many connections the router has, undefined when it has not answered in time. */
  ask(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const answer: Answer = (connections) => {
        clearTimeout(timer);
        this.#asked.delete(answer);
        this.#next.delete(answer);
        resolve(connections);
      };
      const timer = setTimeout(answer, this.#patienceMs, undefined);
      (this.#isUnderWay ? this.#next : this.#asked).add(answer);
      if (this.#isUnderWay) return;
      this.#isUnderWay = true;
      this.#put();
    });
  }

  /** The router has answered. One that says so unasked is not believed. */
  answered(connections: number): void {
    if (!this.#isUnderWay) return;
    const asked = [...this.#asked];
    this.#asked = this.#next;
    this.#next = new Set();
    this.#isUnderWay = this.#asked.size > 0;
    for (const answer of asked) answer(connections);
    if (this.#isUnderWay) this.#put();
  }

  /** There is no router any more that could answer. */
  inVain(): void {
    this.#isUnderWay = false;
    for (const answer of [...this.#asked, ...this.#next]) answer(undefined);
  }
}
