/**
 * A machine with many sites in a time of its own: visitors come, pools ask, the sharing decides, workers are born, run
 * requests and end. It plays router and master around the pure parts and complains as soon as something cannot be.
 */

import { Sharing, type SharingLimits } from '../../src/pool/sharing.js';
import { SitePool } from '../../src/pool/site-pool.js';
import { Agenda } from './agenda.js';
import { must, numbers } from './chance.js';

export interface Traffic {
  readonly weight: number;
  readonly bytes: number;
  readonly maxWorkers: number;
  /** Visitors come so far apart on average; 0: as soon as one has been answered, `visitors` at a time. */
  readonly everyMs: number;
  readonly visitors?: number;
  /** What a request takes on average. */
  readonly takesMs: number;
}

interface Ticket {
  readonly cameMs: number;
  isOver: boolean;
}

interface Site {
  readonly id: number;
  readonly traffic: Traffic;
  readonly pool: SitePool<Ticket>;
  /** Its workers by number: whether it lives, or is about to end. */
  readonly workers: Map<number, 'unborn' | 'lives' | 'ending'>;
  served: number;
  refused: number;
  left: number;
  waitedMs: number;
  longestMs: number;
}

const bornMs = 2;
const endMs = 1;
const idleMs = 10_000;
const patienceMs = 30_000;

export class Machine {
  readonly sites: Site[] = [];
  readonly sharing: Sharing;
  nowMs = 0;
  events = 0;
  gaveUp = 0;
  yielded = 0;
  #came = 0;
  #isOpen = true;
  #lastWorker = 0;
  #shortage = 0;
  #wakeMs = Number.POSITIVE_INFINITY;
  readonly #limits: SharingLimits;
  readonly #agenda = new Agenda();
  readonly #next: () => number;

  constructor(limits: SharingLimits, traffic: readonly Traffic[], seed: number) {
    this.#limits = limits;
    this.sharing = new Sharing(limits);
    this.#next = numbers(seed);
    for (const [i, one] of traffic.entries()) this.#open(i + 1, one);
  }

  run(events: number): void {
    while (this.events < events) this.#step();
  }

  /** Nobody comes any more; everybody who is there is served or leaves, and then nothing is left. */
  close(): void {
    this.#isOpen = false;
    while (this.#agenda.size > 0) this.#step();
    const ended = this.sites.reduce((sum, { served, refused, left }) => sum + served + refused + left, 0);
    must(ended === this.#came, `${this.#came} requests came, and ${ended} ended`);
    must(this.sharing.workers === 0, `${this.sharing.workers} workers are left over`);
    must(this.sharing.bytes === 0, `${this.sharing.bytes} bytes are left over`);
    must(this.sharing.askerCount === 0, 'somebody still asks');
    for (const { pool, id } of this.sites) must(pool.isQuiet, `site ${id} is not quiet`);
  }

  #open(id: number, traffic: Traffic): void {
    const { maxWorkers } = traffic;
    const limits = { oneJob: id % 5 === 0, maxWorkers, spare: id % 3, queueLength: 500, maxRequests: 50 };
    const none = { served: 0, refused: 0, left: 0, waitedMs: 0, longestMs: 0 };
    const site: Site = { id, traffic, pool: new SitePool(limits), workers: new Map(), ...none };
    this.sites.push(site);
    const visitors = traffic.everyMs === 0 ? (traffic.visitors ?? 1) : 1;
    for (let i = 0; i < visitors; i++) this.#later(this.#about(traffic.everyMs), () => this.#arrive(site));
  }

  #step(): void {
    const event = this.#agenda.take();
    must(event !== undefined, 'nothing happens any more');
    must(event.atMs >= this.nowMs, 'time runs backwards');
    this.nowMs = event.atMs;
    this.events++;
    event.act();
    this.#keep();
    const { workers, bytes } = this.sharing;
    must(workers <= this.#limits.maxWorkers, `${workers} workers`);
    must(bytes <= this.#limits.memoryBytes || workers === 1, `${bytes} bytes`);
  }

  #later(ms: number, act: () => void): void {
    this.#agenda.add(this.nowMs + ms, act);
  }

  /** Half as much to half as much again. */
  #about(ms: number): number {
    return ms / 2 + (this.#next() / 2 ** 32) * ms;
  }

  #arrive(site: Site): void {
    if (!this.#isOpen) return;
    if (site.traffic.everyMs > 0) this.#later(this.#about(site.traffic.everyMs), () => this.#arrive(site));
    this.#came++;
    const ticket: Ticket = { cameMs: this.nowMs, isOver: false };
    const admission = site.pool.admit(ticket);
    if (admission.kind === 'full') this.#over(site, ticket, 'refused');
    else if (admission.kind === 'run') this.#begin(site, admission.worker, ticket);
    else this.#later(patienceMs, () => this.#leave(site, ticket));
    this.#ask(site);
  }

  #over(site: Site, ticket: Ticket, how: 'served' | 'refused' | 'left'): void {
    must(!ticket.isOver, 'a request ends twice');
    ticket.isOver = true;
    site[how]++;
    if (site.traffic.everyMs === 0) this.#later(0, () => this.#arrive(site));
  }

  #leave(site: Site, ticket: Ticket): void {
    if (!site.pool.leave(ticket)) return;
    this.#over(site, ticket, 'left');
    this.#ask(site);
  }

  #begin(site: Site, worker: number, ticket: Ticket): void {
    must(site.workers.get(worker) === 'lives', 'a request on a worker that is not there');
    const waitedMs = this.nowMs - ticket.cameMs;
    site.waitedMs += waitedMs;
    site.longestMs = Math.max(site.longestMs, waitedMs);
    this.#later(this.#about(site.traffic.takesMs), () => {
      must(site.pool.ticketOf(worker) === ticket, 'a worker runs two requests');
      this.#over(site, ticket, 'served');
      this.#follow(site, worker, site.pool.done(worker, this.nowMs));
      this.#ask(site);
    });
  }

  #follow(site: Site, worker: number, next: ReturnType<SitePool<Ticket>['arrived']>): void {
    if (next.kind === 'run') this.#begin(site, worker, next.ticket);
    else if (next.kind === 'retire') this.#end(site, worker);
    else {
      const since = this.nowMs;
      this.#giveUp();
      this.#later(idleMs, () => {
        for (const id of site.pool.retireIdle(since)) this.#end(site, id);
      });
    }
  }

  #end(site: Site, worker: number): void {
    must(site.workers.get(worker) === 'lives', 'a worker ends twice');
    site.workers.set(worker, 'ending');
    this.#later(endMs, () => {
      site.workers.delete(worker);
      site.pool.ended(worker);
      this.sharing.give(site.id);
    });
  }

  /** As Dispatcher and SiteRuntime do. */
  #ask(site: Site): void {
    const { pool } = site;
    if (pool.declines()) this.sharing.ask(this.#claim(site), undefined, this.nowMs);
    const count = pool.want();
    const needed = pool.neededOf(count);
    for (let given = 0; given < count; given++) {
      // Its own limit: those that are about to end still count, and their room comes back.
      if (site.workers.size < site.traffic.maxWorkers) {
        if (this.sharing.take(this.#claim(site), this.nowMs)) {
          this.#bear(site);
          continue;
        }
        const wish = given < needed ? 'need' : 'spare';
        this.sharing.ask(this.#claim(site), wish, this.nowMs);
        pool.noRoom(count - given, wish);
        this.#ask(site);
        return;
      }
      this.sharing.ask(this.#claim(site), undefined, this.nowMs);
      pool.notGiven(count - given);
      this.#later(endMs, () => this.#ask(site));
      return;
    }
  }

  #bear(site: Site): void {
    const worker = ++this.#lastWorker;
    site.workers.set(worker, 'unborn');
    this.#later(bornMs, () => {
      site.workers.set(worker, 'lives');
      this.#follow(site, worker, site.pool.arrived(worker, this.nowMs));
      this.#ask(site);
    });
  }

  /** As the room keeper does, with a router that answers at once. */
  #keep(): void {
    if (this.sharing.askerCount === 0 && this.#shortage === 0) return;
    for (let i = 0; ; i++) {
      must(i < 1000, 'it has no end');
      const { offers, shortage, yields } = this.sharing.next(this.nowMs);
      for (const id of offers) {
        const site = this.#site(id);
        site.pool.room();
        this.#ask(site);
        this.sharing.decline(id);
      }
      for (const id of yields) this.#yield(this.#site(id));
      const before = this.gaveUp;
      this.#shortage = shortage;
      this.#giveUp();
      if (shortage > 0) this.sharing.gaveUp(0, this.#shortage > 0, this.nowMs);
      if (offers.length + yields.length === 0 && this.gaveUp === before) break;
    }
    const wakeMs = this.sharing.wakeMs(this.nowMs) ?? Number.POSITIVE_INFINITY;
    if (wakeMs === Number.POSITIVE_INFINITY || this.#wakeMs > this.nowMs) return;
    this.#wakeMs = wakeMs;
    this.#agenda.add(wakeMs, () => {
      this.#wakeMs = 0;
    });
  }

  #yield(site: Site): void {
    this.yielded++;
    const idle = site.pool.yield();
    if (idle !== undefined) this.#end(site, idle);
  }

  /** The longest idle first, whoever has them. */
  #giveUp(): void {
    while (this.#shortage > 0) {
      let longest: Site | undefined;
      for (const site of this.sites) {
        const sinceMs = site.pool.idleSinceMs;
        if (sinceMs !== undefined && sinceMs < (longest?.pool.idleSinceMs ?? Number.POSITIVE_INFINITY))
          longest = site;
      }
      const worker = longest?.pool.giveUpIdle();
      if (longest === undefined || worker === undefined) return;
      this.#shortage--;
      this.gaveUp++;
      this.#end(longest, worker);
      this.sharing.gaveUp(1, false, this.nowMs);
    }
  }

  #site(id: number): Site {
    const site = this.sites[id - 1];
    must(site !== undefined, 'a site that there is not');
    return site;
  }

  #claim({ id, traffic: { weight, bytes } }: Site) {
    return { site: id, weight, bytes, canYield: true };
  }
}
