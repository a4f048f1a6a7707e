/**
 * Reads the logbooks of workers of the direct lane, whose requests never come here: into sums, lines, and what runs at
 * present. A few times a second while something happens there, once a second while nothing does, and never while no
 * such worker lives.
 *
 * Process: the router, so that the root process never sees a URI. What it reads is the sites' word (control/logbook.ts).
 */

import type { Usage } from '../account/usage.js';
import type { LogbookEntry, LogbookSums } from '../control/logbook.js';
import type { RouterDirectSite } from '../control/router-messages.js';
import { clockMs, directOutcome } from './direct-outcome.js';
import { DirectSite, type Running, type Seat } from './direct-site.js';
import type { RouterLedger } from './ledger.js';
import { type Seen, slowRecord } from './slow.js';

const busyPeriodMs = 100;
const idlePeriodMs = 1000;
/** Entries that are read at one look, of all sites and of one, so that nobody keeps the router from its requests. */
const mostAtOnce = 4096;
const mostOfSite = 256;

export interface DirectHandlers {
  /** What does the kernel say of this worker's process? */
  look(site: DirectSite, worker: number): void;
  kill(site: DirectSite, worker: number): void;
  /** The last worker has gone. */
  quiet(): void;
}

export class DirectSites {
  readonly #ledger: Pick<RouterLedger, 'record' | 'add' | 'write' | 'slow'>;
  readonly #handlers: DirectHandlers;
  readonly #sites = new Map<number, DirectSite>();
  #timer: NodeJS.Timeout | undefined;
  #periodMs = busyPeriodMs;
  #turn = 0;

  constructor(ledger: Pick<RouterLedger, 'record' | 'add' | 'write' | 'slow'>, handlers: DirectHandlers) {
    this.#ledger = ledger;
    this.#handlers = handlers;
  }

  open(id: number, row: RouterDirectSite, memory: ArrayBuffer): void {
    this.#sites.set(id, new DirectSite(id, row, memory));
  }

  /** Whether a site of this name has its requests without the router. */
  has(name: string): boolean {
    return [...this.#sites.values()].some((site) => site.name === name && !site.isClosing);
  }

  /** No worker of it comes any more. */
  close(id: number): void {
    const site = this.#sites.get(id);
    if (site === undefined) return;
    site.isClosing = true;
    this.#forgetIfOver(site);
  }

  arrived(id: number, worker: number, slot: number, pid: number): void {
    const site = this.#sites.get(id);
    if (site === undefined) return;
    site.seat(worker, slot, pid);
    this.#periodMs = busyPeriodMs;
    this.#watch();
  }

  /** @param wasTimedOut by the master's word */
  gone(id: number, worker: number, wasTimedOut: boolean): void {
    const site = this.#sites.get(id);
    const seat = site?.seats.get(worker);
    if (site === undefined || seat === undefined) return;
    this.#read(site, seat, Number.POSITIVE_INFINITY);
    this.#settle(site, seat, wasTimedOut);
    site.seats.delete(worker);
    this.#forgetIfOver(site);
    if (this.isQuiet) this.#handlers.quiet();
  }

  get isQuiet(): boolean {
    return [...this.#sites.values()].every(({ seats }) => seats.size === 0);
  }

  /** Nobody tells of a worker's end any more: it is looked for. */
  masterIsGone(isAlive: (pid: number) => boolean): void {
    for (const site of this.#sites.values()) {
      for (const { worker, pid } of [...site.seats.values()])
        if (!isAlive(pid)) this.gone(site.id, worker, false);
    }
    if (!this.isQuiet) setTimeout(() => this.masterIsGone(isAlive), idlePeriodMs / 4);
  }

  isOwner(uid: number): boolean {
    return [...this.#sites.values()].some((site) => site.uid === uid);
  }

  /** What runs at present. */
  running(): Running[] {
    return [...this.#sites.values()].flatMap((site) =>
      [...site.seats.values()].flatMap((seat) => {
        const entry = seat.book.present();
        return entry === undefined ? [] : [{ site, seat, entry }];
      }),
    );
  }

  kill({ site, seat, entry }: Running, byUid: number): void {
    seat.killed ??= { sequence: entry.sequence, byUid };
    this.#handlers.kill(site, seat.worker);
  }

  /** What is known of a worker that has been asked about. */
  tellSlow(worker: number, seen: Seen): void {
    for (const site of this.#sites.values()) {
      const seat = site.seats.get(worker);
      const entry = seat?.book.present();
      if (seat === undefined || entry?.sequence !== seat.slowSequence) continue;
      const nowMs = performance.now();
      const runMs = Math.round(nowMs - clockMs(entry.startedUs, nowMs));
      slowRecord(this.#ledger, site, { id: entry.id, runMs, pid: seat.pid, ...seen }, entry);
    }
  }

  #watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const hasHappened = this.#look();
      this.#periodMs = hasHappened ? busyPeriodMs : Math.min(2 * this.#periodMs, idlePeriodMs);
      if (!this.isQuiet) this.#watch();
    }, this.#periodMs);
  }

  /** Everybody's turn to be first comes, so that nobody is always behind the one who writes most. */
  #look(): boolean {
    const sites = [...this.#sites.values()].filter(({ seats }) => seats.size > 0);
    const start = this.#turn++ % Math.max(1, sites.length);
    let left = mostAtOnce;
    let hasHappened = false;
    for (const site of [...sites.slice(start), ...sites.slice(0, start)]) {
      let leftOfSite = Math.min(left, mostOfSite);
      for (const seat of site.seats.values()) {
        const count = this.#read(site, seat, leftOfSite);
        leftOfSite -= count;
        left -= count;
        hasHappened ||= count > 0;
        this.#watchSlow(site, seat);
      }
    }
    return hasHappened;
  }

  /** Sums and entries; returns how many of these there were. */
  #read(site: DirectSite, seat: Seat, most: number): number {
    const grown = seat.book.grown();
    if (grown !== undefined) {
      site.linesLeftOut += grown.leftOut;
      this.#ledger.add(site.name, usageOf(grown, site.runMs(grown)));
    }
    const entries = most > 0 ? seat.book.take(most) : [];
    for (const entry of entries) this.#record(site, seat, entry);
    return entries.length;
  }

  #record(site: DirectSite, seat: Seat, entry: LogbookEntry): void {
    const nowMs = performance.now();
    const facts = { site: site.name, uid: site.uid, pid: seat.pid };
    const timeMs = Date.now() - (nowMs - clockMs(entry.endedUs, nowMs));
    this.#ledger.write(directOutcome(entry, facts, nowMs), site, entry, timeMs);
  }

  /** A request that its worker has taken along. */
  #settle(site: DirectSite, seat: Seat, wasTimedOut: boolean): void {
    const entry = seat.book.present();
    if (entry === undefined) return;
    const { killed } = seat;
    const lost =
      killed?.sequence === entry.sequence
        ? { reason: 'killed' as const, byUid: killed.byUid }
        : { reason: wasTimedOut ? ('time-limit' as const) : ('worker-died' as const) };
    const facts = { site: site.name, uid: site.uid, pid: seat.pid, lost };
    const outcome = directOutcome(entry, facts, performance.now());
    seat.book.settle();
    this.#ledger.record(outcome, site, entry);
  }

  #watchSlow(site: DirectSite, seat: Seat): void {
    const { slowAfterMs } = site.config;
    if (slowAfterMs === 0) return;
    const entry = seat.book.present();
    if (entry === undefined || entry.sequence === seat.slowSequence) return;
    const nowMs = performance.now();
    if (nowMs - clockMs(entry.startedUs, nowMs) < slowAfterMs || site.looks.take(nowMs) === undefined) return;
    seat.slowSequence = entry.sequence;
    this.#handlers.look(site, seat.worker);
  }

  #forgetIfOver(site: DirectSite): void {
    if (site.isClosing && site.seats.size === 0) this.#sites.delete(site.id);
  }
}

function usageOf(grown: LogbookSums, runMs: number): Usage {
  const { requests, refused, bytesIn, bytesOut, cpuUs, maxRssKb } = grown;
  return { requests, refused, bytesIn, bytesOut, cpuUs, queueMs: 0, runMs, maxRssKb };
}
