/** Which worker of a site writes to which part of the memory that they share. Pure. */

export interface Place {
  readonly worker: number;
  readonly slot: number;
  /** 0: it is not born yet. */
  readonly pid: number;
}

export class Places {
  readonly #places = new Map<number, Place>();
  /** The one that has been free for longest is taken first: whoever reads what a dead worker left has time for it. */
  readonly #free: number[];

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, slot) => slot);
  }

  get size(): number {
    return this.#places.size;
  }

  get all(): Iterable<Place> {
    return this.#places.values();
  }

  get born(): Place[] {
    return [...this.#places.values()].filter(({ pid }) => pid > 0);
  }

  /** -1: it has none. */
  slotOf(worker: number): number {
    return this.#places.get(worker)?.slot ?? -1;
  }

  /** There is one for each worker that a site may have. */
  take(worker: number): number {
    const slot = this.#free.shift();
    if (slot === undefined) throw new Error('more workers than places');
    this.#places.set(worker, { worker, slot, pid: 0 });
    return slot;
  }

  bear(worker: number, pid: number): void {
    const place = this.#places.get(worker);
    if (place !== undefined) this.#places.set(worker, { ...place, pid });
  }

  give(worker: number): void {
    const place = this.#places.get(worker);
    if (place === undefined) return;
    this.#places.delete(worker);
    this.#free.push(place.slot);
  }
}
