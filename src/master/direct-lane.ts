/**
 * Workers that accept on the site's own socket themselves. While nobody comes, the master watches the socket and
 * there is no process. The first connection starts the site's workers, all of them; after an idle timeout without a
 * request they are sent away again. The master never accepts: it reads counters that the workers keep.
 *
 * Privilege: root. The counters are the site's word about itself, and decide about its own workers only.
 */

import type { Logger } from 'pino';
import { type Figures, figure } from '../account/figures.js';
import type { DirectCounters } from '../control/direct-counters.js';
import { toRouter } from '../control/router-messages.js';
import { POLLIN, type Poller } from '../os/poller.js';
import type { Site } from '../site/site.js';
import { DirectMemory } from './direct-memory.js';
import { DirectTally } from './direct-tally.js';
import type { Lane, LaneRouter, LaneSite, TemplateSupplies, WorkerSupplies } from './lane.js';
import { type Idle, LeavingWorkers } from './leaving-workers.js';
import { Places } from './places.js';

/** How often the counters of a site with workers are read. */
const periodMs = 1000;
const SIGTERM = 15;

export interface DirectSetup {
  readonly id: number;
  readonly site: Site;
  /** The site's own socket; stays the caller's. */
  readonly listener: number;
  readonly webUids: readonly number[];
  readonly readTimeoutMs: number;
  readonly poller: Poller;
  readonly log: Logger;
  /** Reads what workers write into their logbooks. */
  readonly router: () => LaneRouter | undefined;
}

export class DirectLane implements Lane {
  readonly isDirect = true;
  readonly #setup: DirectSetup;
  readonly #owner: LaneSite;
  readonly #memory: DirectMemory;
  readonly #places: Places;
  readonly #leaving: LeavingWorkers;
  #isWatching = false;
  #isLeaving = false;
  #isClosed = false;
  /** A request has come while the last workers were leaving. */
  #isAwaited = false;
  #awaitedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #awakeSinceMs = 0;
  #refusedBefore = 0;
  readonly #tally = new DirectTally();
  /** Workers that are being killed because a request took too long. */
  readonly #timedOut = new Set<number>();

  constructor(setup: DirectSetup, owner: LaneSite) {
    this.#setup = setup;
    this.#owner = owner;
    const { maxWorkers } = setup.site;
    this.#memory = new DirectMemory(maxWorkers);
    this.#places = new Places(maxWorkers);
    this.#leaving = new LeavingWorkers(this.#places, (worker) => owner.signal(SIGTERM, worker));
    this.#watch();
  }

  forTemplate(): TemplateSupplies {
    const { site, listener, webUids, readTimeoutMs } = this.#setup;
    return {
      listener,
      shared: this.#memory.fd,
      env: {
        GUISE_SHARED: '1',
        GUISE_KEYS: site.keyRequired ? site.keys.join(',') : '',
        GUISE_WEB_UIDS: webUids.join(','),
        GUISE_MAX_BODY: String(site.maxBodyBytes),
        GUISE_READ_TIMEOUT: String(readTimeoutMs),
        GUISE_MAX_REQUESTS: String(site.maxRequests),
        GUISE_SLOTS: String(site.maxWorkers),
        ...(site.ledger === 'off' ? {} : { GUISE_LINES: '1' }),
      },
    };
  }

  forWorker(id: number): WorkerSupplies {
    return { ours: -1, theirs: -1, slot: this.#places.take(id) };
  }

  introduce(): void {
    const { id, site, router } = this.#setup;
    if (this.#memory.fd < 0) return;
    router()?.giveDirectSite(id, site, this.#memory.fd);
    for (const { worker, slot, pid } of this.#places.born) this.#introduceWorker(worker, slot, pid);
  }

  #introduceWorker(worker: number, slot: number, pid: number): void {
    this.#setup.router()?.tell(toRouter.directWorker, this.#setup.id, worker, slot, pid);
  }

  /** It accepts by itself. */
  born(worker: number, _channel: number, pid: number): void {
    this.#isAwaited = false;
    this.#places.bear(worker, pid);
    this.#introduceWorker(worker, this.#places.slotOf(worker), pid);
  }

  unborn(id: number): void {
    this.#places.give(id);
  }

  gone(id: number, exitCode: number | null, signal: number | null): void {
    const wasTimedOut = this.#timedOut.delete(id);
    this.#countLost(id, wasTimedOut);
    this.#places.give(id);
    this.#setup.router()?.tell(toRouter.directWorkerGone, this.#setup.id, id, wasTimedOut ? 1 : 0, 0);
    const isGivenUp = this.#leaving.ended(id);
    if (this.#owner.workers === 0 && (isGivenUp || this.#isLeaving || this.#isClosed)) this.#sleep();
    else if (!this.#isLeaving && !isGivenUp && signal === null && exitCode === 0) this.#fill();
    // A worker that crashed is replaced at the next look: a crash at every start costs one process a second.
  }

  templateGone(): void {
    // The counters go on.
  }

  notGiven(): void {
    // What waits in the socket is looked at again every second while there are no workers.
    if (this.#owner.workers === 0) this.#sleep();
  }

  noRoom(): void {
    this.notGiven();
  }

  room(): void {
    if (this.#isClosed || this.#isLeaving) return;
    if (this.#owner.workers > 0) this.#fill();
    else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#wake();
    }
  }

  /** On a connection that the web server keeps: the socket does not tell of it. */
  awaited(): void {
    // It says so again, at most once a second; so whoever speaks faster is not heard.
    const nowMs = monotonicMs();
    if (nowMs - this.#awaitedMs < periodMs / 2) return;
    this.#awaitedMs = nowMs;
    if (this.#isLeaving) this.#isAwaited = true;
    else if (this.#owner.workers === 0) this.room();
  }

  yieldOne(): void {
    const idle = this.#longestIdle();
    this.#leaving.send(idle?.worker ?? this.#leaving.anyOther());
  }

  isFree(worker: number): boolean {
    return this.#memory.read()[this.#places.slotOf(worker)]?.busySinceMs === 0;
  }

  recycle(worker: number): void {
    this.#leaving.send(worker);
  }

  idleMs(): number | undefined {
    return this.#longestIdle()?.ms;
  }

  giveUpIdle(): void {
    this.#leaving.send(this.#longestIdle()?.worker);
  }

  #longestIdle(): Idle | undefined {
    return this.#leaving.longestIdle(this.#memory.read(), this.#awakeSinceMs, monotonicMs());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    this.#owner.signal(SIGTERM);
    this.#look();
  }

  progress(): number {
    return figure(this.figures(), 'served');
  }

  figures(): Figures {
    this.#count(this.#memory.read(), monotonicMs());
    return this.#tally.figures.slice();
  }

  #count(all: readonly DirectCounters[], nowMs: number): void {
    this.#tally.add(all, this.#places.size, { monotonicMs: nowMs, epochMs: Date.now() });
  }

  #watch(): void {
    if (this.#isWatching || this.#isClosed) return;
    this.#isWatching = true;
    this.#setup.poller.add(this.#setup.listener, POLLIN, () => {
      this.#wake();
    });
  }

  #unwatch(): void {
    if (!this.#isWatching) return;
    this.#isWatching = false;
    this.#setup.poller.remove(this.#setup.listener);
  }

  /** Somebody has connected, and nobody is there. */
  #wake(): void {
    this.#unwatch();
    this.#isLeaving = false;
    this.#isAwaited = false;
    this.#awakeSinceMs = monotonicMs();
    this.#timer ??= setTimeout(() => {
      this.#look();
    }, periodMs);
    this.#fill();
  }

  #fill(): void {
    const lacking = this.#setup.site.maxWorkers - this.#owner.workers;
    if (this.#isClosed || this.#isLeaving || lacking <= 0) return;
    // All of its workers are at work: whoever comes next waits in the socket, unseen.
    const isBusy = this.#longestIdle() === undefined;
    this.#owner.demand(lacking, isBusy ? lacking : 0);
  }

  /** Nobody works here any more. */
  #sleep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isLeaving = false;
    if (this.#isClosed) this.#memory.release();
    else if (this.#owner.workers === 0) this.#timer = setTimeout(() => this.#rest(), periodMs / 10);
  }

  /** A pause before the socket is watched again, so that a site that cannot start does not keep the master busy. */
  #rest(): void {
    this.#timer = undefined;
    if (this.#isAwaited) this.#wake();
    else this.#watch();
  }

  /** Once a second while there are workers: time limits, replacements, idleness. */
  #look(): void {
    const nowMs = monotonicMs();
    const all = this.#memory.read();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#look();
    }, periodMs);
    this.#count(all, nowMs);
    this.#enforceTimeLimit(all, nowMs);
    this.#reportRefusals(all);
    if (this.#isLeaving || this.#isClosed) {
      // One that was just about to wait for its next connection has not noticed the first time.
      this.#owner.signal(SIGTERM);
      if (this.#owner.workers === 0) this.#sleep();
    } else if (this.#isIdle(all, nowMs)) {
      this.#isLeaving = true;
      this.#owner.demand(0, 0);
      this.#owner.signal(SIGTERM);
    } else {
      this.#leaving.remind();
      this.#fill();
    }
  }

  #isIdle(all: readonly DirectCounters[], nowMs: number): boolean {
    const { idleTimeoutMs } = this.#setup.site;
    const lastMs = Math.max(this.#awakeSinceMs, ...all.map(({ lastEndMs }) => lastEndMs));
    return nowMs - lastMs > idleTimeoutMs && all.every(({ busySinceMs }) => busySinceMs === 0);
  }

  #enforceTimeLimit(all: readonly DirectCounters[], nowMs: number): void {
    const { site, log } = this.#setup;
    for (const { worker, slot } of this.#places.all) {
      const busySinceMs = all[slot]?.busySinceMs ?? 0;
      if (busySinceMs === 0 || nowMs - busySinceMs <= site.timeLimitMs) continue;
      log.warn({ site: site.name, worker, reason: 'time-limit' }, 'request stopped');
      this.#timedOut.add(worker);
      this.#owner.end(worker);
    }
  }

  /** One that has ended and still says that it is busy has taken a request along. */
  #countLost(worker: number, wasTimedOut: boolean): void {
    const busySinceMs = this.#memory.read()[this.#places.slotOf(worker)]?.busySinceMs ?? 0;
    if (busySinceMs > 0) this.#tally.lost(wasTimedOut ? 'time-limit' : 'worker-died', Date.now());
  }

  #reportRefusals(all: readonly DirectCounters[]): void {
    const refused = all.reduce((total, counters) => total + counters.refused, 0);
    const count = refused - this.#refusedBefore;
    this.#refusedBefore = refused;
    if (count <= 0) return;
    const reasons = [...new Set(all.map(({ lastRefusal }) => lastRefusal).filter((reason) => reason > 0))];
    this.#setup.log.warn({ site: this.#setup.site.name, count, reasons }, 'requests refused');
  }
}

/** The workers' clock: CLOCK_MONOTONIC. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
