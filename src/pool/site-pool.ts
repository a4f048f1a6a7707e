/**
 * The pool of one site as the router sees it: which workers are idle, who waits, and how many more workers to ask
 * for. Pure: it calls nobody, knows no clock (times are arguments, in milliseconds) and no request (a ticket is
 * whatever the caller waits with).
 *
 * A worker's life here:
 *
 * | state | event | becomes |
 * |---|---|---|
 * | asked for | arrived | busy, if somebody waits; else idle |
 * | asked for | not given | nothing |
 * | idle | admit | busy |
 * | idle | too long | retired |
 * | busy | done | busy, if somebody waits; else idle; retired after its last request |
 * | busy, idle | gone | nothing; the ticket it ran is returned |
 * | busy | done, and the pool is to yield, or the worker is worn out | retired |
 *
 * Where the machine has no room, the pool asks once and waits until it is told that there is some (pool/sharing.ts); it
 * speaks again only when it wishes for something else.
 */

import type { Wish } from './sharing.js';

export interface PoolLimits {
  /** A worker runs one request and ends. */
  readonly oneJob: boolean;
  readonly maxWorkers: number;
  /** Idle workers to be kept ahead of demand while the site is busy. */
  readonly spare: number;
  /** Tickets that may wait at once. As many as workers can still be started may in any case. */
  readonly queueLength: number;
  /** A worker retires after so many requests; 0: never. */
  readonly maxRequests: number;
}

interface Worker<T> {
  readonly id: number;
  requests: number;
  idleSinceMs: number;
  ticket: T | undefined;
  /** It is to go with its request. */
  isWorn: boolean;
}

export type Admission = { kind: 'run'; worker: number } | { kind: 'wait' } | { kind: 'full' };

/** What a worker that has become free does next. */
export type Next<T> = { kind: 'run'; ticket: T } | { kind: 'idle' } | { kind: 'retire' };

/** What a pool has that has never been asked for anything: most pools. Nothing is ever put into them. */
const noWorkers = new Map<number, never>();
const nobody = new Set<never>();

export class SitePool<T> {
  limits: PoolLimits;
  #workers: Map<number, Worker<T>> = noWorkers;
  /** The one that worked last is taken first: its caches are warm, and the others can go. */
  readonly #idle: Worker<T>[] = [];
  #queue: Set<T> = nobody;
  #starting = 0;
  /** What it has asked for in vain. */
  #wish: Wish | undefined;
  /** The next worker that has ended its request is to go. */
  #mustYield = false;
  /** Those that have gone after their last request and whose processes have not ended yet. */
  #spent: Set<number> = nobody;
  /** The most that were busy, and that waited, at once; and how many found all workers busy. */
  maxBusy = 0;
  maxQueued = 0;
  limitReached = 0;

  constructor(limits: PoolLimits) {
    this.limits = limits;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  get busyCount(): number {
    return this.#workers.size - this.#idle.length;
  }

  get startingCount(): number {
    return this.#starting;
  }

  get queuedCount(): number {
    return this.#queue.size;
  }

  /** Nothing runs, waits or starts: the pool may be forgotten. */
  get isQuiet(): boolean {
    return this.#workers.size === 0 && this.#queue.size === 0 && this.#starting === 0;
  }

  /** A new request: runs on an idle worker, waits, or is one too many. */
  admit(ticket: T): Admission {
    const worker = this.#idle.pop();
    if (worker !== undefined) {
      this.#give(worker, ticket);
      return { kind: 'run', worker: worker.id };
    }
    const { queueLength, maxWorkers } = this.limits;
    const isLimited = this.#workers.size + this.#starting >= maxWorkers;
    if (isLimited && this.#queue.size >= this.#starting) this.limitReached++;
    // Whose worker is about to be started waits too, even where there is no queue at all.
    if (this.#queue.size >= Math.max(queueLength, maxWorkers - this.#workers.size)) return { kind: 'full' };
    if (this.#queue === nobody) this.#queue = new Set();
    this.#queue.add(ticket);
    this.maxQueued = Math.max(this.maxQueued, this.#queue.size);
    return { kind: 'wait' };
  }

  /** Its visitor left, or it waited too long. Returns whether it was waiting. */
  leave(ticket: T): boolean {
    return this.#queue.delete(ticket);
  }

  /** All who wait, first come first. */
  waiting(): IterableIterator<T> {
    return this.#queue.values();
  }

  /**
   * How many workers to ask the master for now. The caller must ask: they count as starting from here on. Whoever
   * waits for room asks again only when what it wishes for is something else.
   */
  want(): number {
    if (this.#wish !== undefined && this.#wish === this.#wishNow()) return 0;
    this.#wish = undefined;
    const count = this.#lacking();
    this.#starting += count;
    return count;
  }

  /** How many of `count` workers that have just been asked for somebody waits for; the others would be spare ones. */
  neededOf(count: number): number {
    return Math.max(0, Math.min(count, this.#queue.size - this.#idle.length - (this.#starting - count)));
  }

  #lacking(): number {
    const { oneJob, maxWorkers, spare } = this.limits;
    const busy = this.busyCount > 0 || this.#queue.size > 0;
    const reserve = busy ? Math.max(spare, oneJob ? 1 : 0) : 0;
    const lacking = this.#queue.size + reserve - this.#idle.length - this.#starting;
    const room = maxWorkers - this.#workers.size - this.#starting;
    return Math.max(0, Math.min(lacking, room));
  }

  #wishNow(): Wish | undefined {
    if (this.#lacking() === 0) return undefined;
    return this.#queue.size > this.#idle.length + this.#starting ? 'need' : 'spare';
  }

  /** What it waits for because the machine has no room. */
  get wish(): Wish | undefined {
    return this.#wish;
  }

  /**
   * There is no room for `count` of the workers that were asked for; it will be said when there is.
   *
   * @param wish what it was understood to wish for; it may wish for something else by now, and says so then
   */
  noRoom(count: number, wish: Wish): void {
    this.notGiven(count);
    this.#wish = wish;
  }

  /** There is room: it is asked for anew. */
  room(): void {
    this.#wish = undefined;
  }

  /** Whether it waits for room that it does not need any more. Says so once. */
  declines(): boolean {
    if (this.#wish === undefined || this.#wishNow() !== undefined) return false;
    this.#wish = undefined;
    return true;
  }

  /** One worker is to go, at the end of a request. Returns an idle one that goes at once, where there is one. */
  yield(): number | undefined {
    const idle = this.giveUpIdle();
    this.#mustYield = idle === undefined && this.#workers.size > 0;
    return idle;
  }

  /** Nobody waits for its workers any more. */
  keep(): void {
    this.#mustYield = false;
  }

  /** The process of a worker has ended that the pool has let go. */
  ended(id: number): void {
    this.#spent.delete(id);
  }

  /** Whether it waits for a request. */
  isIdle(id: number): boolean {
    return this.#workers.get(id)?.ticket === undefined && this.#workers.has(id);
  }

  /** It is to be replaced, at the end of its request. Returns whether it goes at once, because it has none. */
  wearOut(id: number): boolean {
    const worker = this.#workers.get(id);
    if (worker === undefined) return false;
    worker.isWorn = true;
    if (worker.ticket === undefined) this.gone(id);
    return worker.ticket === undefined;
  }

  /** Takes out the worker that has been idle longest. */
  giveUpIdle(): number | undefined {
    const worker = this.#idle.shift();
    if (worker !== undefined) this.#workers.delete(worker.id);
    return worker?.id;
  }

  /** What a worker is running. */
  ticketOf(id: number): T | undefined {
    return this.#workers.get(id)?.ticket;
  }

  /** The master gives a worker. */
  arrived(id: number, nowMs: number): Next<T> {
    if (this.#starting > 0) this.#starting--;
    const worker: Worker<T> = { id, requests: 0, idleSinceMs: nowMs, ticket: undefined, isWorn: false };
    if (this.#workers === noWorkers) this.#workers = new Map();
    this.#workers.set(id, worker);
    return this.#next(worker, nowMs);
  }

  /** The master does not give `count` of the workers that were asked for. */
  notGiven(count: number): void {
    this.#starting = Math.max(0, this.#starting - count);
  }

  /** A worker has ended its request. A worker of a one-job pool ends by itself then. */
  done(id: number, nowMs: number): Next<T> {
    const worker = this.#workers.get(id);
    if (worker === undefined) return { kind: 'retire' };
    if (worker.ticket === undefined) return { kind: 'idle' };
    worker.ticket = undefined;
    const { oneJob, maxRequests } = this.limits;
    // One after the other: not all workers of a site go at once because all have begun at once.
    const isSpent = maxRequests > 0 && worker.requests >= maxRequests && this.#spent.size === 0;
    if (oneJob || this.#mustYield || worker.isWorn || isSpent) {
      if (isSpent && !oneJob) this.#spent = new Set([id]);
      this.#workers.delete(id);
      this.#mustYield = false;
      return { kind: 'retire' };
    }
    return this.#next(worker, nowMs);
  }

  /** A worker's process has ended. Returns the ticket that it was running. */
  gone(id: number): T | undefined {
    const worker = this.#workers.get(id);
    if (worker === undefined) return undefined;
    this.#workers.delete(id);
    const i = this.#idle.indexOf(worker);
    if (i >= 0) this.#idle.splice(i, 1);
    return worker.ticket;
  }

  /** Takes out the workers that have been idle since `beforeMs` or longer. */
  retireIdle(beforeMs: number): number[] {
    const keep = this.#idle.findIndex((worker) => worker.idleSinceMs > beforeMs);
    const old = this.#idle.splice(0, keep < 0 ? this.#idle.length : keep);
    for (const worker of old) this.#workers.delete(worker.id);
    return old.map((worker) => worker.id);
  }

  /** When the worker that has been idle longest became so; undefined when none is idle. */
  get idleSinceMs(): number | undefined {
    return this.#idle[0]?.idleSinceMs;
  }

  #next(worker: Worker<T>, nowMs: number): Next<T> {
    const [ticket] = this.#queue;
    if (ticket !== undefined) {
      this.#queue.delete(ticket);
      this.#give(worker, ticket);
      return { kind: 'run', ticket };
    }
    worker.idleSinceMs = nowMs;
    this.#idle.push(worker);
    return { kind: 'idle' };
  }

  #give(worker: Worker<T>, ticket: T): void {
    worker.ticket = ticket;
    worker.requests++;
    this.maxBusy = Math.max(this.maxBusy, this.busyCount);
  }
}
