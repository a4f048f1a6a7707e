/** How many workers all sites together may have, and the numbers that workers are known by. */
export class WorkerBudget {
  max: number;
  #taken = 0;
  #lastId = 0;

  constructor(max: number) {
    this.max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  take(): boolean {
    if (this.#taken >= this.max) return false;
    this.#taken++;
    return true;
  }

  give(): void {
    this.#taken--;
  }

  /** Never 0, and not used again while a worker of that number can still be spoken of. */
  nextWorkerId(): number {
    this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
    return this.#lastId;
  }
}
