/**
 * Workers that accept on the site's own socket themselves. While nobody comes, the master watches the socket and
 * there is no process. The first connection starts the site's workers, all of them; after an idle timeout without a
 * request they are sent away again. The master never accepts: it reads counters that the workers keep.
 *
 * Privilege: root. The counters are the site's word about itself, and decide about its own workers only.
 */

import { ftruncateSync, readSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Figures, figure } from '../account/figures.js';
import { counterSlotBytes, type DirectCounters, readCounters } from '../control/direct-counters.js';
import { POLLIN, type Poller } from '../os/poller.js';
import { close, memfd } from '../os/socket.js';
import type { Site } from '../site/site.js';
import { DirectTally } from './direct-tally.js';
import type { Lane, LaneSite, TemplateSupplies, WorkerSupplies } from './lane.js';

/** How often the counters of a site with workers are read. */
const periodMs = 1000;
const SIGTERM = 15;

export interface DirectSetup {
  readonly site: Site;
  /** The site's own socket; stays the caller's. */
  readonly listener: number;
  readonly webUids: readonly number[];
  readonly readTimeoutMs: number;
  readonly poller: Poller;
  readonly log: Logger;
}

export class DirectLane implements Lane {
  readonly isDirect = true;
  readonly slates = -1;
  readonly #setup: DirectSetup;
  readonly #owner: LaneSite;
  #counters: number;
  readonly #memory: Buffer;
  /** Which worker has which slot. Read with pread(2): a worker that cuts the memory short harms only itself. */
  readonly #slots = new Map<number, number>();
  #isWatching = false;
  #isLeaving = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #awakeSinceMs = 0;
  #refusedBefore = 0;
  readonly #tally = new DirectTally();
  /** Workers that are being killed because a request took too long. */
  readonly #timedOut = new Set<number>();

  constructor(setup: DirectSetup, owner: LaneSite) {
    this.#setup = setup;
    this.#owner = owner;
    const bytes = setup.site.maxWorkers * counterSlotBytes;
    this.#counters = memfd('guise-counters');
    ftruncateSync(this.#counters, bytes);
    this.#memory = Buffer.alloc(bytes);
    this.#watch();
  }

  forTemplate(): TemplateSupplies {
    const { site, listener, webUids, readTimeoutMs } = this.#setup;
    return {
      listener,
      shared: this.#counters,
      env: {
        GUISE_SHARED: '1',
        GUISE_KEYS: site.keyRequired ? site.keys.join(',') : '',
        GUISE_WEB_UIDS: webUids.join(','),
        GUISE_MAX_BODY: String(site.maxBodyBytes),
        GUISE_READ_TIMEOUT: String(readTimeoutMs),
        GUISE_MAX_REQUESTS: String(site.maxRequests),
      },
    };
  }

  forWorker(id: number): WorkerSupplies {
    const taken = new Set(this.#slots.values());
    let slot = 0;
    while (taken.has(slot)) slot++;
    this.#slots.set(id, slot);
    return { ours: -1, theirs: -1, slot };
  }

  born(): void {
    // It accepts by itself.
  }

  unborn(id: number): void {
    this.#slots.delete(id);
  }

  gone(id: number, exitCode: number | null, signal: number | null): void {
    this.#countLost(id);
    this.#slots.delete(id);
    if (this.#owner.workers === 0 && (this.#isLeaving || this.#isClosed)) this.#sleep();
    else if (!this.#isLeaving && signal === null && exitCode === 0) this.#fill();
    // A worker that crashed is replaced at the next look: a crash at every start costs one process a second.
  }

  templateGone(): void {
    // The counters go on.
  }

  notGiven(): void {
    // What waits in the socket is looked at again every second while there are no workers.
    if (this.#owner.workers === 0) this.#sleep();
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
    this.#count(this.#read(), monotonicMs());
    return this.#tally.figures.slice();
  }

  #count(all: readonly DirectCounters[], nowMs: number): void {
    this.#tally.add(all, this.#slots.size, { monotonicMs: nowMs, epochMs: Date.now() });
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
    this.#awakeSinceMs = monotonicMs();
    this.#timer ??= setTimeout(() => {
      this.#look();
    }, periodMs);
    this.#fill();
  }

  #fill(): void {
    const lacking = this.#setup.site.maxWorkers - this.#owner.workers;
    if (!this.#isClosed && !this.#isLeaving && lacking > 0) this.#owner.demand(lacking);
  }

  /** Nobody works here any more. */
  #sleep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isLeaving = false;
    if (this.#isClosed) this.#release();
    else if (this.#owner.workers === 0) this.#timer = setTimeout(() => this.#rest(), periodMs / 10);
  }

  #release(): void {
    if (this.#counters >= 0) close(this.#counters);
    this.#counters = -1;
  }

  /** A pause before the socket is watched again, so that a site that cannot start does not keep the master busy. */
  #rest(): void {
    this.#timer = undefined;
    this.#watch();
  }

  /** Once a second while there are workers: time limits, replacements, idleness. */
  #look(): void {
    const nowMs = monotonicMs();
    const all = this.#read();
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
      this.#owner.signal(SIGTERM);
    } else this.#fill();
  }

  #isIdle(all: readonly DirectCounters[], nowMs: number): boolean {
    const { idleTimeoutMs } = this.#setup.site;
    const lastMs = Math.max(this.#awakeSinceMs, ...all.map(({ lastEndMs }) => lastEndMs));
    return nowMs - lastMs > idleTimeoutMs && all.every(({ busySinceMs }) => busySinceMs === 0);
  }

  #enforceTimeLimit(all: readonly DirectCounters[], nowMs: number): void {
    const { site, log } = this.#setup;
    for (const [worker, slot] of this.#slots) {
      const busySinceMs = all[slot]?.busySinceMs ?? 0;
      if (busySinceMs === 0 || nowMs - busySinceMs <= site.timeLimitMs) continue;
      log.warn({ site: site.name, worker, reason: 'time-limit' }, 'request stopped');
      this.#timedOut.add(worker);
      this.#owner.end(worker);
    }
  }

  /** One that has ended and still says that it is busy has taken a request along. */
  #countLost(worker: number): void {
    const wasTimedOut = this.#timedOut.delete(worker);
    const busySinceMs = this.#read()[this.#slots.get(worker) ?? -1]?.busySinceMs ?? 0;
    if (busySinceMs > 0) this.#tally.lost(wasTimedOut ? 'time-limit' : 'worker-died', Date.now());
  }

  #reportRefusals(all: readonly DirectCounters[]): void {
    const refused = sum(all, 'refused');
    const count = refused - this.#refusedBefore;
    this.#refusedBefore = refused;
    if (count <= 0) return;
    const reasons = [...new Set(all.map(({ lastRefusal }) => lastRefusal).filter((reason) => reason > 0))];
    this.#setup.log.warn({ site: this.#setup.site.name, count, reasons }, 'requests refused');
  }

  #read(): DirectCounters[] {
    if (this.#counters >= 0) readSync(this.#counters, this.#memory, 0, this.#memory.length, 0);
    return Array.from({ length: this.#setup.site.maxWorkers }, (_, slot) => readCounters(this.#memory, slot));
  }
}

function sum(all: readonly DirectCounters[], name: 'refused'): number {
  return all.reduce((total, counters) => total + counters[name], 0);
}

/** The workers' clock: CLOCK_MONOTONIC. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
