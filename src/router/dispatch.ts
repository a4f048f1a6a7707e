/**
 * From an admitted request to its end: who gets a worker, on which connection it answers, and what its notes, its
 * death or its time limit mean. Calls back with an ending, and does not talk to the web server itself.
 */

import { type Note, noteLast, noteStarted } from '../control/worker-messages.js';
import type { Poller } from '../os/poller.js';
import type { Wish } from '../pool/sharing.js';
import type { Next } from '../pool/site-pool.js';
import type { DispatchHandlers } from './dispatch-handlers.js';
import type { Ending } from './ending.js';
import { type Exchange, mayBeLent } from './exchange.js';
import { asSeen, endingOf } from './how-it-ended.js';
import type { RefusalReason } from './refusals.js';
import { Relay } from './relay.js';
import type { RoutedSite } from './routed-site.js';
import { type WorkerBirth, type WorkerHandlers, WorkerLink } from './worker-link.js';

/** How long the visitor waits for the death of a worker that has been killed. */
const killPatienceMs = 2000;

export class Dispatcher {
  readonly #workers = new Map<number, WorkerLink>();
  /** Those about which the master wants to know when they are free. */
  readonly #weighed = new Set<number>();
  readonly #poller: Poller;
  readonly #handlers: DispatchHandlers;
  /** Other sites wait for room: the end of every request is to be told. */
  isShort = false;

  constructor(poller: Poller, handlers: DispatchHandlers) {
    this.#poller = poller;
    this.#handlers = handlers;
  }

  /** A complete request of an open site. */
  admit(exchange: Exchange): void {
    const { site } = exchange;
    if (site.isClosing && site.pool.isQuiet) {
      this.#end(exchange, { kind: 'refused', reason: 'stopping', note: undefined });
      return;
    }
    this.lookAt(site);
    const admission = site.pool.admit(exchange);
    if (admission.kind === 'full') {
      this.#end(exchange, { kind: 'refused', reason: 'queue-full', note: undefined });
      return;
    }
    if (admission.kind === 'run') this.#run(exchange, this.#workers.get(admission.worker));
    else this.#wait(exchange);
    this.#ask(site);
  }

  /** The master gives a worker. */
  workerArrived(site: RoutedSite, birth: WorkerBirth): void {
    const handlers: WorkerHandlers = {
      note: (worker, note) => {
        this.#noted(worker, note);
      },
      ended: (worker, isBreach) => {
        // What is left of it would keep its place in the master's table.
        if (isBreach) this.#handlers.kill(site, worker.id);
        this.#gone(worker);
      },
    };
    const link = new WorkerLink(birth, site, this.#poller, handlers);
    this.#workers.set(link.id, link);
    this.#follow(link, site.pool.arrived(link.id, performance.now()));
  }

  /** The master says that a worker's process has ended, whoever still holds its channel. */
  workerGone(id: number): void {
    const link = this.#workers.get(id);
    if (link === undefined) return;
    // The master's word may overtake the note with which the worker ended its last request.
    link.drain();
    if (!this.#workers.has(id)) return;
    link.close();
    this.#gone(link);
  }

  /** The master does not give `count` workers; without any other, those who wait will wait in vain. */
  notGiven(site: RoutedSite, count: number, reason: RefusalReason): void {
    site.pool.notGiven(count);
    if (site.pool.busyCount > 0 || site.pool.startingCount > 0) return;
    for (const exchange of [...site.pool.waiting()]) this.leave(exchange, reason);
  }

  /** The machine has no room for `count` workers now. */
  noRoom(site: RoutedSite, count: number, wish: Wish): void {
    site.pool.noRoom(count, wish);
    this.#ask(site);
  }

  /** The machine has room for a worker of this site. */
  room(site: RoutedSite): void {
    site.pool.room();
    this.#ask(site, true);
  }

  /** One worker is to go: an idle one, or the next that has ended its request. */
  yield(site: RoutedSite): void {
    this.lookAt(site);
    const idle = site.pool.yield();
    if (idle !== undefined) this.retire(idle);
    else this.wantNotes(site);
  }

  /** A waiting request has waited for as long as it may. */
  waitedTooLong(exchange: Exchange): void {
    const { pool } = exchange.site;
    const isOutside = pool.wish === 'need' && pool.busyCount === 0;
    this.leave(exchange, isOutside ? 'machine-limit' : 'queue-timeout');
  }

  /** A waiting request is given up. */
  leave(exchange: Exchange, reason: RefusalReason): void {
    if (!exchange.site.pool.leave(exchange)) return;
    this.#end(exchange, { kind: 'refused', reason, note: undefined });
    if (exchange.site.pool.wish !== undefined) this.#ask(exchange.site);
  }

  /** A running request has had its time, or somebody wants its end. Its end follows when its worker is dead. */
  stop(exchange: Exchange, reason: NonNullable<Exchange['stopped']>): void {
    const { pendingEnding } = exchange;
    // Its worker has ended it, and may be at work for somebody else: only the way of the answer is blocked.
    if (pendingEnding !== undefined) {
      this.#end(exchange, { kind: 'refused', reason, note: pendingEnding.note });
      return;
    }
    exchange.stopped = reason;
    exchange.deadlineMs = performance.now() + killPatienceMs;
    this.#handlers.kill(exchange.site, exchange.worker);
  }

  /** A worker that has been killed is still there: it waits in the kernel, and will do nothing more. */
  abandon(exchange: Exchange): void {
    const link = this.#workers.get(exchange.worker);
    link?.close();
    if (link !== undefined) this.#gone(link);
  }

  retire(id: number): void {
    this.#workers.get(id)?.close();
    this.#workers.delete(id);
    this.#weighed.delete(id);
  }

  /** The master wants to know when this worker has no request. */
  weigh(site: RoutedSite, worker: number): void {
    this.lookAt(site);
    if (site.pool.isIdle(worker)) this.#handlers.free(site, worker);
    else {
      this.#weighed.add(worker);
      this.#workers.get(worker)?.wantNote();
    }
  }

  /** A worker is to be replaced: at once when it is idle, else at the end of its request. */
  recycle(site: RoutedSite, worker: number): void {
    this.lookAt(site);
    if (site.pool.wearOut(worker)) this.retire(worker);
    else this.#workers.get(worker)?.wantNote();
    this.#ask(site);
  }

  /** Nobody waits for room any more: what was to be given up stays. */
  keepAll(): void {
    for (const { site } of this.#workers.values()) site.pool.keep();
  }

  /** Finds what has ended meanwhile. */
  lookAt(site: RoutedSite): void {
    for (const link of site.running) link.look();
  }

  lookAtAll(): void {
    for (const link of this.#workers.values()) link.look();
  }

  wantAllNotes(): void {
    for (const link of this.#workers.values()) link.wantNote();
  }

  /** From now on the ends of this site's requests are told as soon as they come. */
  wantNotes(site: RoutedSite): void {
    for (const link of site.running) link.wantNote();
  }

  /** Somebody waits for the end of this request. */
  wantNote({ worker }: Exchange): void {
    this.#workers.get(worker)?.wantNote();
  }

  /** Until a worker comes, or is free again. Its visitor may leave before. */
  #wait(exchange: Exchange): void {
    exchange.connection.watch();
    this.wantNotes(exchange.site);
  }

  #run(exchange: Exchange, link: WorkerLink | undefined): void {
    if (link === undefined) throw new Error('the pool has a worker that is not there');
    const { connection, head } = exchange;
    const relay = head.keep && !mayBeLent(exchange) ? this.#relay(exchange) : undefined;
    const { site } = link;
    const wantsNote = relay !== undefined || site.pool.queuedCount > 0 || this.isShort || site.isClosing;
    const isLent = head.keep && relay === undefined;
    const handover = link.run(exchange, relay?.theirs ?? connection.fd, isLent, wantsNote);
    relay?.handedOver();
    if (handover === 'sent') {
      site.begun(link);
      exchange.run(link.id, link.pid, performance.now());
      if (site.config.onDisconnect === 'stop') connection.watch();
      return;
    }
    relay?.close();
    exchange.relay = undefined;
    if (handover === 'too-large') this.#tooLarge(exchange, link);
    else this.#tryAnother(exchange, link);
  }

  #tooLarge(exchange: Exchange, link: WorkerLink): void {
    this.#end(exchange, { kind: 'refused', reason: 'params-too-large', note: undefined });
    this.#follow(link, link.site.pool.done(link.id, performance.now()));
  }

  /** The worker died while it was idle, so nobody has seen the request yet. */
  #tryAnother(exchange: Exchange, link: WorkerLink): void {
    const { site } = link;
    link.close();
    this.#workers.delete(link.id);
    site.pool.gone(link.id);
    this.#handlers.kill(site, link.id);
    this.admit(exchange);
    this.#handlers.changed(site);
  }

  #relay(exchange: Exchange): Relay {
    const relay = new Relay(this.#poller, exchange.connection, exchange.head.requestId, () => {
      if (exchange.pendingEnding !== undefined) this.#end(exchange, exchange.pendingEnding);
    });
    exchange.relay = relay;
    return relay;
  }

  #noted(link: WorkerLink, note: Note): void {
    const { pool } = link.site;
    const exchange = pool.ticketOf(link.id);
    if (exchange === undefined) return;
    if (note.type === noteStarted) {
      exchange.answerBegan = true;
      return;
    }
    this.#isOver(link, exchange);
    if (this.#weighed.size > 0 && this.#weighed.delete(link.id)) this.#handlers.free(link.site, link.id);
    this.#finish(exchange, endingOf(note));
    // A dead worker gets no other request; its end follows, and with it the worker leaves the pool.
    if (link.isDead) return;
    // It was about to be killed, or ends by itself: nobody else's request may be on it then.
    if (exchange.stopped !== undefined || (note.flags & noteLast) !== 0) {
      link.close();
      this.#gone(link);
      return;
    }
    this.#follow(link, pool.done(link.id, performance.now()));
    this.#ask(link.site);
  }

  #gone(link: WorkerLink): void {
    this.#workers.delete(link.id);
    this.#weighed.delete(link.id);
    const exchange = link.site.pool.gone(link.id);
    this.#isOver(link, exchange);
    if (exchange !== undefined && exchange.pendingEnding === undefined) {
      const reason = exchange.stopped ?? 'worker-died';
      this.#end(exchange, { kind: 'refused', reason, note: undefined });
    }
    this.#ask(link.site);
    this.#handlers.changed(link.site);
  }

  #isOver(link: WorkerLink, exchange: Exchange | undefined): void {
    link.site.over(link);
    if (exchange !== undefined && link.hasStarted) exchange.answerBegan = true;
  }

  /** Through a relay the last bytes of a complete answer may still be on their way. */
  #finish(exchange: Exchange, ending: Ending): void {
    if (exchange.relay?.isOpen === true && ending.kind === 'done') exchange.pendingEnding = ending;
    else this.#end(exchange, ending);
  }

  #end(exchange: Exchange, ending: Ending): void {
    if (exchange.state === 'over') return;
    exchange.state = 'over';
    const seen = asSeen(exchange, ending);
    if (seen.kind === 'done') exchange.relay?.release();
    exchange.relay?.close();
    exchange.releaseBody();
    this.#handlers.ended(exchange, seen);
  }

  #follow(link: WorkerLink, next: Next<Exchange>): void {
    if (next.kind === 'run') this.#run(next.ticket, link);
    else {
      if (next.kind === 'retire') this.retire(link.id);
      this.#handlers.changed(link.site);
    }
  }

  /** @param isOffered the master waits for a word */
  #ask(site: RoutedSite, isOffered = false): void {
    const { pool } = site;
    const declines = pool.declines() || isOffered;
    const count = site.isClosing && pool.queuedCount === 0 ? 0 : pool.want();
    if (count > 0) this.#handlers.demand(site, count, pool.neededOf(count));
    else if (declines) this.#handlers.demand(site, 0, 0);
  }
}
