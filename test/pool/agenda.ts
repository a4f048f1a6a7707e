/** What will happen, in the order of time: a binary heap. Events of the same time happen in the order in which they were added. */

export interface Event {
  readonly atMs: number;
  readonly act: () => void;
}

interface Entry extends Event {
  readonly order: number;
}

export class Agenda {
  readonly #heap: Entry[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(atMs: number, act: () => void): void {
    const heap = this.#heap;
    let i = heap.push({ atMs, act, order: this.#order++ }) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!this.#isBefore(i, up)) return;
      this.#swap(i, up);
      i = up;
    }
  }

  take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const down of [2 * i + 1, 2 * i + 2])
        if (down < heap.length && this.#isBefore(down, least)) least = down;
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return false;
    return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}
