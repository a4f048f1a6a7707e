/**
 * A small world around a SitePool: a master that gives workers or does not, workers that end their requests or die,
 * visitors who come and leave. It keeps its own plain record of what must be true and compares after each event.
 *
 * As the dispatcher does (src/router/dispatch.ts), it asks for workers after a request came, ended or lost its worker,
 * and sends those home who wait while nobody works and nobody is coming.
 */

import { type PoolLimits, SitePool } from '../../src/pool/site-pool.js';
import { must, pick } from './chance.js';
import { type EventName, type ModelWorker, noCounts, otherLimits, type TicketEnd } from './history.js';

export class World {
  readonly pool: SitePool<number>;
  readonly counts: Record<EventName | TicketEnd, number>;
  readonly #workers = new Map<number, ModelWorker>();
  /** Idle workers, the one that worked last at the end. */
  readonly #idle: ModelWorker[] = [];
  readonly #waiting: number[] = [];
  readonly #ended = new Map<number, TicketEnd>();
  #limits: PoolLimits;
  #lastTicket = 0;
  #lastWorker = 0;
  #askedFor = 0;
  #nowMs = 0;
  #mustYield = false;
  /** Gone after their last request, and not yet ended. */
  readonly #spent: number[] = [];

  constructor(limits: PoolLimits) {
    this.#limits = limits;
    this.pool = new SitePool<number>(limits);
    this.counts = noCounts();
  }

  /** One event; `choice` says to whom it happens, where there is a choice. */
  happen(event: EventName, choice: number): void {
    this.#nowMs += choice % 5;
    if (this.#acts[event](choice)) this.counts[event]++;
    this.compare();
  }

  readonly #acts: Readonly<Record<EventName, (choice: number) => boolean>> = {
    admit: () => this.#admit(),
    arrived: () => this.#arrived(),
    notGiven: (choice) => this.#notGiven(choice),
    noRoom: (choice) => this.#noRoom(choice),
    room: () => this.#room(),
    yield: () => this.#yield(),
    keep: () => this.#keep(),
    wearOut: (choice) => this.#wearOut(pick([...this.#workers.values()], choice)),
    ended: () => this.#hasEnded(),
    done: (choice) => this.#done(pick(this.#busy(), choice)),
    gone: (choice) => this.#gone(pick([...this.#workers.values()], choice)),
    leave: (choice) => this.#leave(pick(this.#waiting, choice)),
    retireIdle: (choice) => this.#retireIdle(this.#nowMs - (choice % 20)),
    limits: (choice) => this.#change(choice),
  };

  #admit(): boolean {
    const ticket = ++this.#lastTicket;
    const room = Math.max(this.#limits.queueLength, this.#limits.maxWorkers - this.#workers.size);
    const admission = this.pool.admit(ticket);
    const worker = this.#idle.pop();
    if (worker !== undefined) {
      must(admission.kind === 'run' && admission.worker === worker.id, 'not on the worker that worked last');
      this.#begin(worker, ticket);
    } else if (this.#waiting.length < room) {
      must(admission.kind === 'wait', 'there was room to wait');
      this.#waiting.push(ticket);
    } else {
      must(admission.kind === 'full', 'the queue is longer than its limit');
      this.#end(ticket, 'full');
    }
    this.#ask();
    return true;
  }

  #arrived(): boolean {
    if (this.#askedFor === 0) return false;
    this.#askedFor--;
    const id = ++this.#lastWorker;
    const worker: ModelWorker = {
      id,
      requests: 0,
      ticket: undefined,
      idleSinceMs: this.#nowMs,
      isWorn: false,
    };
    this.#workers.set(id, worker);
    this.#follow(worker, this.pool.arrived(id, this.#nowMs));
    return true;
  }

  #notGiven(choice: number): boolean {
    const count = Math.min(this.#askedFor, 1 + (choice % 3));
    if (count === 0) return false;
    this.#askedFor -= count;
    this.pool.notGiven(count);
    if (this.pool.busyCount > 0 || this.pool.startingCount > 0) return true;
    for (const ticket of [...this.pool.waiting()]) this.#leave(ticket);
    return true;
  }

  /** The machine is full. What the pool was understood to wish for may be old. */
  #noRoom(choice: number): boolean {
    const count = Math.min(this.#askedFor, 1 + (choice % 3));
    if (count === 0) return false;
    this.#askedFor -= count;
    this.pool.noRoom(count, choice % 2 === 0 ? 'need' : 'spare');
    this.#ask();
    return true;
  }

  #room(): boolean {
    if (this.pool.wish === undefined) return false;
    this.pool.room();
    this.#ask();
    return true;
  }

  #yield(): boolean {
    const longest = this.#idle.shift();
    must(this.pool.yield() === longest?.id, 'another worker yields than the one that has been idle longest');
    if (longest !== undefined) this.#workers.delete(longest.id);
    this.#mustYield = longest === undefined && this.#workers.size > 0;
    return true;
  }

  #wearOut(worker: ModelWorker | undefined): boolean {
    if (worker === undefined) return false;
    worker.isWorn = true;
    const isIdle = worker.ticket === undefined;
    must(this.pool.wearOut(worker.id) === isIdle, 'a worn worker goes at once if it is idle, and only then');
    if (!isIdle) return true;
    this.#workers.delete(worker.id);
    this.#idle.splice(this.#idle.indexOf(worker), 1);
    this.#ask();
    return true;
  }

  #keep(): boolean {
    this.pool.keep();
    this.#mustYield = false;
    return true;
  }

  #hasEnded(): boolean {
    const id = this.#spent.shift();
    if (id !== undefined) this.pool.ended(id);
    return id !== undefined;
  }

  #done(worker: ModelWorker | undefined): boolean {
    if (worker?.ticket === undefined) return false;
    this.#end(worker.ticket, 'done');
    worker.ticket = undefined;
    const next = this.pool.done(worker.id, this.#nowMs);
    const { oneJob, maxRequests } = this.#limits;
    const isSpent = maxRequests > 0 && worker.requests >= maxRequests && this.#spent.length === 0;
    if (oneJob || this.#mustYield || worker.isWorn || isSpent) {
      if (isSpent && !oneJob) this.#spent.push(worker.id);
      must(next.kind === 'retire', 'a worker goes on after its last request');
      this.#workers.delete(worker.id);
      this.#mustYield = false;
    } else this.#follow(worker, next);
    this.#ask();
    return true;
  }

  #gone(worker: ModelWorker | undefined): boolean {
    if (worker === undefined) return false;
    const ticket = this.pool.gone(worker.id);
    must(ticket === worker.ticket, 'another ticket than the one that the dead worker ran');
    if (ticket !== undefined) this.#end(ticket, 'lost');
    this.#workers.delete(worker.id);
    const i = this.#idle.indexOf(worker);
    if (i >= 0) this.#idle.splice(i, 1);
    this.#ask();
    return true;
  }

  #leave(ticket: number | undefined): boolean {
    if (ticket === undefined) return false;
    must(this.pool.leave(ticket), 'it has forgotten somebody who waits');
    must(!this.pool.leave(ticket), 'the same ticket leaves twice');
    this.#waiting.splice(this.#waiting.indexOf(ticket), 1);
    this.#end(ticket, 'left');
    return true;
  }

  #retireIdle(beforeMs: number): boolean {
    const old = this.#idle.filter((worker) => worker.idleSinceMs <= beforeMs);
    const retired = this.pool.retireIdle(beforeMs);
    must(
      retired.join() === old.map(({ id }) => id).join(),
      'other workers retire than those idle long enough',
    );
    this.#idle.splice(0, old.length);
    for (const { id } of old) this.#workers.delete(id);
    return true;
  }

  #change(choice: number): boolean {
    this.#limits = otherLimits(this.#limits, choice);
    this.pool.limits = this.#limits;
    return true;
  }

  /** Nobody else is given a request while this worker could have been, and the first who came is the first served. */
  #follow(worker: ModelWorker, next: ReturnType<SitePool<number>['arrived']>): void {
    const first = this.#waiting.shift();
    if (first === undefined) {
      must(next.kind === 'idle', 'a free worker is not idle');
      worker.idleSinceMs = this.#nowMs;
      this.#idle.push(worker);
      return;
    }
    must(next.kind === 'run' && next.ticket === first, 'not first come, first served');
    this.#begin(worker, first);
  }

  #begin(worker: ModelWorker, ticket: number): void {
    must(worker.ticket === undefined, `worker ${worker.id} has two requests`);
    must(!this.#ended.has(ticket), `request ${ticket} runs though it has ended`);
    worker.ticket = ticket;
    worker.requests++;
  }

  #end(ticket: number, how: TicketEnd): void {
    must(!this.#ended.has(ticket), `request ${ticket} ends twice`);
    this.#ended.set(ticket, how);
    this.counts[how]++;
  }

  #ask(): void {
    const { maxWorkers, spare, oneJob } = this.#limits;
    const room = Math.max(0, maxWorkers - this.#workers.size - this.#askedFor);
    const hasDeclined = this.pool.declines();
    must(!hasDeclined || this.#waiting.length <= this.#askedFor || room === 0, 'it declines what it needs');
    const count = this.pool.want();
    must(count >= 0 && count <= room, `${count} workers are wanted where there is room for ${room}`);
    this.#askedFor += count;
    const most = this.#waiting.length + Math.max(spare, oneJob ? 1 : 0);
    must(count === 0 || this.#idle.length + this.#askedFor <= most, 'more are wanted than anybody waits for');
    must(this.pool.want() === 0, 'the same workers are wanted twice');
    const isShort = this.#waiting.length > this.#askedFor;
    must(
      !isShort || this.#workers.size + this.#askedFor >= maxWorkers || this.pool.wish === 'need',
      'fewer are wanted than there could be',
    );
  }

  #busy(): ModelWorker[] {
    return [...this.#workers.values()].filter(({ ticket }) => ticket !== undefined);
  }

  /** The pool's picture and this one are the same, and nobody waits for something that nobody will do. */
  compare(): void {
    const { pool } = this;
    must(pool.idleCount === this.#idle.length, `${pool.idleCount} idle workers, not ${this.#idle.length}`);
    must(pool.busyCount === this.#workers.size - this.#idle.length, 'another number of busy workers');
    must(pool.startingCount === this.#askedFor, 'another number of workers that are coming');
    must([...pool.waiting()].join() === this.#waiting.join(), 'others wait, or in another order');
    must(pool.queuedCount === this.#waiting.length, 'another number waits');
    must(pool.idleSinceMs === this.#idle[0]?.idleSinceMs, 'another time since when workers are idle');
    for (const { id, ticket } of this.#workers.values()) {
      must(pool.ticketOf(id) === ticket, `worker ${id} runs another request`);
    }
    const isComing = pool.busyCount > 0 || pool.startingCount > 0 || pool.wish === 'need';
    const isStuck = this.#waiting.length > 0 && !isComing;
    must(!isStuck, 'somebody waits, and nobody works or is coming');
    must(this.#waiting.length === 0 || this.#idle.length === 0, 'somebody waits beside an idle worker');
    must(pool.isQuiet === (this.#workers.size + this.#waiting.length + this.#askedFor === 0), 'quiet or not');
  }

  /** Everybody does what they still have to; then every request must have ended, and the pool be quiet. */
  settle(): void {
    while (this.#askedFor > 0 || this.#busy().length > 0 || this.#waiting.length > 0) {
      this.happen('room', 0);
      this.happen('arrived', 0);
      this.happen('done', 0);
    }
    this.happen('retireIdle', 0);
    this.#retireIdle(Number.POSITIVE_INFINITY);
    this.compare();
    must(this.pool.isQuiet, 'something is left over');
    must(this.#ended.size === this.#lastTicket, 'a request has not ended');
  }
}
