/**
 * The way of a request, step by step: this file alone knows the order.
 *
 *   bytes → records → request head → site → verdict → worker → outcome → ledger
 *
 * Process: the router, an unprivileged user. Everything that arrives here comes from strangers; a fault of a peer
 * costs that peer its connection, never the process.
 */

import { Counters } from '../account/counters.js';
import type { Outcome } from '../account/outcome.js';
import { RequestIds } from '../account/request-ids.js';
import type { RouterSettings } from '../control/router-messages.js';
import type { Poller } from '../os/poller.js';
import type { Head } from '../request/head.js';
import { defaultReadLimits } from '../request/limits.js';
import type { IncomingRequest } from '../request/result.js';
import type { Listener } from './acceptor.js';
import { Connection, type ConnectionHandlers } from './connection.js';
import { Deadlines } from './deadlines.js';
import { Dispatcher } from './dispatch.js';
import type { DispatchHandlers } from './dispatch-handlers.js';
import type { Ending } from './ending.js';
import { Exchange } from './exchange.js';
import { IdleWorkers } from './idle.js';
import { Intake } from './intake.js';
import { RouterLedger } from './ledger.js';
import type { RouterLog } from './log.js';
import { outcomeOf, refusedOutcome } from './outcomes.js';
import { ReaderStock } from './reader-stock.js';
import type { RefusalReason } from './refusals.js';
import { type RefusedRequest, Reply } from './reply.js';
import type { RoutedSite } from './routed-site.js';
import { SiteTable } from './site-table.js';

/** From the end of an answer to the word that it is over. */
const farewellMs = 50;

export interface ServerHandlers extends Pick<DispatchHandlers, 'demand' | 'free' | 'kill'> {
  /** A connection has ended. */
  closed(): void;
  /** So many idle workers are about to end for others who wait; `isAll`: there were no more. */
  gaveUp(count: number, isAll: boolean): void;
  /** Nothing of this site is left, and it is not known here any more. */
  forgotten(site: RoutedSite): void;
  /** A request has been running for longer than its site's slow_after. */
  slow(exchange: Exchange): void;
}

export class Server {
  readonly sites: SiteTable;
  readonly connections = new Set<Connection>();
  /** Requests that belong to no site. */
  readonly siteless = new Counters();
  readonly dispatcher: Dispatcher;
  readonly idle: IdleWorkers;
  readonly ledger: RouterLedger;
  readonly #ids = new RequestIds();
  readonly #poller: Poller;
  readonly #readTimeoutMs: number;
  readonly #readers: ReaderStock;
  readonly #log: RouterLog;
  readonly #intake: Intake;
  readonly #reply: Reply;
  readonly #deadlines: Deadlines;
  readonly #connectionHandlers: ConnectionHandlers;
  readonly #forgotten: ServerHandlers['forgotten'];

  constructor(poller: Poller, settings: RouterSettings, log: RouterLog, handlers: ServerHandlers) {
    this.#poller = poller;
    this.#log = log;
    this.#forgotten = (site) => handlers.forgotten(site);
    this.ledger = new RouterLedger(poller);
    this.#readTimeoutMs = settings.readTimeoutMs;
    this.#readers = new ReaderStock({
      limits: {
        ...defaultReadLimits,
        maxParamsBytes: settings.maxHeadBytes,
        spoolMinFreeBytes: settings.spoolMinFreeBytes,
      },
      spoolDirectory: settings.spoolDirectory,
      maxConnections: settings.maxConnections,
    });
    this.sites = new SiteTable(settings.auto);
    this.#reply = new Reply({
      next: (connection) => this.#intake.read(connection),
      closed: (connection) => {
        if (this.connections.delete(connection)) this.#readers.give(connection);
        handlers.closed();
      },
    });
    this.#intake = new Intake(settings.readTimeoutMs, log, {
      head: (connection, head) => this.#headComplete(connection, head),
      complete: (connection, request) => this.#complete(connection, request),
      refused: (connection, refusal) => this.#refuse(connection, refusal, refusal.head),
      drained: (connection) => this.#reply.drained(connection),
      close: (connection) => this.#reply.close(connection),
    });
    this.dispatcher = new Dispatcher(poller, {
      ...handlers,
      ended: (exchange, ending) => this.#ended(exchange, ending),
      changed: (site) => this.siteChanged(site),
    });
    this.idle = new IdleWorkers(this.dispatcher, handlers);
    this.#deadlines = new Deadlines(this.connections, {
      looking: () => this.dispatcher.lookAtAll(),
      readingTooLong: (connection) => this.#readTimeout(connection),
      waitingTooLong: (exchange) => this.dispatcher.waitedTooLong(exchange),
      runningTooLong: (exchange) => this.dispatcher.stop(exchange, 'time-limit'),
      runningSlowly: (exchange) => handlers.slow(exchange),
      dyingTooLong: (exchange) => this.dispatcher.abandon(exchange),
    });
    this.#connectionHandlers = {
      readable: (connection) => this.#readable(connection),
      hungUp: (connection) => this.#hungUp(connection),
      flushed: (connection) => this.#flushed(connection),
    };
  }

  get byId(): ReadonlyMap<number, RoutedSite> {
    return this.sites.byId;
  }

  #flushed(connection: Connection): void {
    connection.exchange?.relay?.resume();
    this.#reply.flushed(connection);
  }

  /** A web server has connected; `fd` is taken over. */
  connected(fd: number, { site, isTcp }: Listener): void {
    const deadlineMs = performance.now() + this.#readTimeoutMs;
    const reader = this.#readers.take();
    const handlers = this.#connectionHandlers;
    const connection = new Connection(fd, site, reader, deadlineMs, this.#poller, handlers);
    connection.demandsKey = isTcp;
    connection.listenerName = this.byId.get(site)?.name;
    this.connections.add(connection);
    this.#readable(connection);
  }

  get isDraining(): boolean {
    return this.#reply.isDraining;
  }

  /** Requests that are under way still finish. */
  drain(): void {
    this.#reply.isDraining = true;
    for (const site of this.byId.values()) this.dispatcher.wantNotes(site);
    for (const connection of [...this.connections]) {
      if (connection.isReading && connection.reader.phase === 'idle') this.#reply.close(connection);
    }
  }

  /** The site of this name has its requests without a router now: connections that are kept to its old socket end. */
  closeIdle(name: string): void {
    for (const connection of [...this.connections]) {
      const isIdle = connection.isReading && connection.reader.phase === 'idle';
      if (isIdle && connection.listenerName === name) this.#reply.close(connection);
    }
  }

  /** It came in on the own socket of a site that is not here any more. */
  #isOrphaned(connection: Connection): boolean {
    return connection.listenerSite !== 0 && this.sites.ownerOf(connection) === undefined;
  }

  /** A site's pool, or the site itself, has changed. */
  siteChanged(site: RoutedSite): void {
    this.idle.watch(site);
    if (site.isClosing && site.pool.isQuiet) this.#forget(site);
  }

  /** Nothing in the master stands for this site any more. */
  forgetAutomatic(site: RoutedSite): void {
    if (!site.pool.isQuiet) return;
    this.idle.forget(site);
    this.#forget(site);
    this.sites.auto?.forget(site);
  }

  #forget(site: RoutedSite): void {
    if (this.sites.byId.delete(site.id)) this.#forgotten(site);
  }

  /** Bytes → records → request head. */
  #readable(connection: Connection): void {
    const { exchange } = connection;
    this.#deadlines.watch();
    // The web server has its answer and goes on, on a kept connection; or it has left.
    if (exchange?.state === 'running') this.dispatcher.wantNote(exchange);
    this.#intake.read(connection);
  }

  /** Request head → site. The key is overwritten before anything else happens. */
  #headComplete(connection: Connection, head: Head): void {
    const owner = this.sites.ownerOf(connection);
    const site = this.#isOrphaned(connection)
      ? 'no-site'
      : this.sites.identify(head, owner, connection.demandsKey);
    head.blankKeys();
    if (typeof site === 'string') {
      this.#refuseHead(connection, head, site);
      return;
    }
    const isAutomatic = site === this.sites.auto?.group;
    connection.site = isAutomatic ? this.sites.automatic(head) : this.sites.forVisitor(site, head);
    connection.reader.bodyLimit = site.config.maxBodyBytes;
    if (connection.site !== undefined) return;
    this.#refuseHead(connection, head, isAutomatic ? 'no-site' : 'start-failed');
  }

  #refuseHead(connection: Connection, head: Head, reason: RefusalReason): void {
    connection.reader.discard();
    this.#refuse(connection, { requestId: head.requestId, keep: head.keep, reason }, head);
  }

  /** Site → verdict → worker. The worker gives the last word of the verdict: it sees the script. */
  #complete(connection: Connection, request: IncomingRequest): void {
    if (connection.site === undefined) throw new Error('a request is complete that belongs to no site');
    const site = this.sites.present(connection.site, request.head);
    const exchange = this.#exchange(connection, site, request);
    connection.exchange = exchange;
    this.dispatcher.admit(exchange);
  }

  #exchange(connection: Connection, site: RoutedSite, { head, body }: IncomingRequest): Exchange {
    return new Exchange(connection, site, head, body, performance.now(), this.#ids.next());
  }

  /** Worker → outcome → ledger. */
  #ended(exchange: Exchange, ending: Ending): void {
    const { connection, head, site } = exchange;
    const { requestId, keep } = head;
    const outcome = outcomeOf(exchange, ending);
    connection.exchange = undefined;
    site.counters.count(outcome, Date.now());
    this.ledger.record(outcome, site, head);
    if (ending.kind === 'done') {
      this.#reply.answered(connection, keep && !this.#isOrphaned(connection));
      return;
    }
    this.#log.refusal(outcome, head, ending.note?.found, site.lines);
    if (ending.kind === 'refused') {
      this.#reply.refuse(connection, { requestId, keep, reason: ending.reason }, outcome);
    } else this.#reply.cut(connection);
  }

  /** A request that never got as far as a worker. */
  #refuse(connection: Connection, refused: RefusedRequest, head: Head | undefined): void {
    const { site } = connection;
    const outcome: Outcome = refusedOutcome(this.#ids.next(), site, refused.reason, head);
    (site?.counters ?? this.siteless).count(outcome, Date.now());
    this.ledger.record(outcome, site, head);
    this.#log.refusal(outcome, head, undefined, site?.lines);
    this.#reply.refuse(connection, refused, outcome);
  }

  /** Waiting requests of a visitor who has left are dropped. A running one is left to its script, or stopped. */
  #hungUp(connection: Connection): void {
    const { exchange } = connection;
    if (exchange === undefined) this.#reply.close(connection);
    else if (exchange.state === 'waiting') this.dispatcher.leave(exchange, 'visitor-left');
    else if (exchange.site.config.onDisconnect === 'stop') this.#stopUnlessOver(connection, exchange);
  }

  /** A web server that has the whole answer hangs up as well, perhaps before the worker has said that it is over. */
  #stopUnlessOver(connection: Connection, exchange: Exchange): void {
    this.dispatcher.wantNote(exchange);
    setTimeout(() => {
      const isOver = connection.exchange !== exchange || exchange.stopped !== undefined;
      if (!isOver) this.dispatcher.stop(exchange, 'visitor-left');
    }, farewellMs);
  }

  #readTimeout(connection: Connection): void {
    const { reader } = connection;
    const hasBegun = reader.phase === 'params' || reader.phase === 'body';
    if (connection.isLingering || !hasBegun || reader.requestId === 0) {
      this.#reply.close(connection);
      return;
    }
    reader.discard();
    this.#refuse(connection, { requestId: reader.requestId, keep: false, reason: 'read-timeout' }, undefined);
  }
}
