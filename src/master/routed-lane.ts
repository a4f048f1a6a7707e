/**
 * Workers whose requests come from the router: each has a channel of its own to it. Those that stay for more than one
 * request also have a slate (control/slate.ts), in memory that lasts as long as the template that they come from.
 */

import { readSync } from 'node:fs';
import { toRouter } from '../control/router-messages.js';
import { lastJobOf, slateBytes } from '../control/slate.js';
import { sharedMemory } from '../os/shared-memory.js';
import { close, seqpacketPair, setBlocking } from '../os/socket.js';
import type { Wish } from '../pool/sharing.js';
import type { Site } from '../site/site.js';
import type { Lane, LaneRouter, TemplateSupplies, WorkerSupplies } from './lane.js';

const memory = Buffer.alloc(slateBytes);
/** The slots of every site without workers. Nothing is ever put into it. */
const noSlots = new Map<number, number>();

export class RoutedLane implements Lane {
  readonly isDirect = false;
  readonly #site: number;
  readonly #uid: number;
  readonly #oneJob: boolean;
  readonly #maxWorkers: number;
  readonly #router: () => LaneRouter | undefined;
  #slates = -1;
  /** Which worker has which slate. */
  #slots = noSlots;
  /** Of workers that have ended. */
  #progress = 0;

  constructor(id: number, site: Site, router: () => LaneRouter | undefined) {
    this.#site = id;
    this.#uid = site.user.uid;
    this.#oneJob = site.mode === 'per-request';
    this.#maxWorkers = site.maxWorkers;
    this.#router = router;
  }

  introduce(): void {
    if (this.#slates >= 0) this.#router()?.giveSlates(this.#site, this.#slates);
  }

  /** A worker of an earlier template keeps its slate's number, so none of the new ones gets it. */
  forTemplate(): TemplateSupplies {
    if (!this.#oneJob) {
      this.templateGone();
      this.#slates = sharedMemory('guise-slates', this.#maxWorkers * slateBytes);
      this.introduce();
    }
    return { listener: -1, shared: this.#slates, env: this.#oneJob ? {} : { GUISE_SHARED: '1' } };
  }

  forWorker(id: number): WorkerSupplies {
    const [ours, theirs] = seqpacketPair();
    setBlocking(theirs, true);
    const taken = new Set(this.#slots.values());
    let slot = 0;
    while (taken.has(slot)) slot++;
    if (this.#slots === noSlots) this.#slots = new Map();
    this.#slots.set(id, slot);
    return { ours, theirs, slot };
  }

  born(id: number, channel: number, pid: number): void {
    const slot = this.#slots.get(id) ?? 0;
    const router = this.#router();
    if (router === undefined)
      close(channel); // the worker sees its end, and leaves
    else router.giveWorker(this.#site, { worker: id, uid: this.#uid, pid, slot, channel });
  }

  unborn(id: number): void {
    this.#slots.delete(id);
  }

  gone(id: number, exitCode: number | null, signal: number | null): void {
    this.#progress += this.#oneJob ? Number(signal === null) : this.#lastJob(this.#slots.get(id));
    this.#slots.delete(id);
    this.#router()?.tell(toRouter.workerGone, this.#site, id, signal ?? 0, exitCode ?? 0);
  }

  notGiven(count: number, reason: number): void {
    this.#router()?.tell(toRouter.noWorker, this.#site, 0, count, reason);
  }

  noRoom(count: number, wish: Wish): void {
    this.#router()?.tell(toRouter.noRoom, this.#site, 0, count, Number(wish === 'need'));
  }

  room(): void {
    this.#router()?.tell(toRouter.room, this.#site, 0, 0, 0);
  }

  awaited(): void {
    // Requests wait in the router.
  }

  yieldOne(): void {
    this.#router()?.tell(toRouter.yield, this.#site, 0, 0, 0);
  }

  idleMs(): undefined {
    return undefined;
  }

  giveUpIdle(): void {
    // The router does, when it is asked: it has all of them in view.
  }

  isFree(worker: number): undefined {
    this.#router()?.tell(toRouter.weigh, this.#site, worker, 0, 0);
    return undefined;
  }

  recycle(worker: number): void {
    this.#router()?.tell(toRouter.recycle, this.#site, worker, 0, 0);
  }

  templateGone(): void {
    this.#progress = this.progress();
    if (this.#slates >= 0) close(this.#slates);
    this.#slates = -1;
  }

  /** The router's end of each channel decides when the present workers go. */
  close(): void {
    // The router is told by whoever closes the site.
  }

  progress(): number {
    return [...this.#slots.values()].reduce((sum, slot) => sum + this.#lastJob(slot), this.#progress);
  }

  /** The number of the last job that a worker with this slate has ended, 0 for none. Read, and never mapped here. */
  #lastJob(slot: number | undefined): number {
    if (slot === undefined || this.#slates < 0) return 0;
    readSync(this.#slates, memory, 0, slateBytes, slot * slateBytes);
    return lastJobOf(memory);
  }

  figures(): undefined {
    return undefined;
  }
}
