/**
 * The way of a request, step by step: this file alone knows the order.
 *
 *   bytes → records → request head → site → verdict → worker → outcome → ledger
 *
 * Process: the router, an unprivileged user. Everything that arrives here comes from strangers; a fault of a peer
 * costs that peer its connection, never the process.
 */

import type { Outcome } from '../account/outcome.js';
import type { RouterSettings } from '../control/router-messages.js';
import type { ProtocolStatusCode } from '../fastcgi/constants.js';
import { encodeEndRequest } from '../fastcgi/encode.js';
import type { Poller } from '../os/poller.js';
import type { Head } from '../request/head.js';
import { defaultReadLimits } from '../request/limits.js';
import { type ReaderSettings, RequestReader } from '../request/reader.js';
import type { IncomingRequest, ReadResult } from '../request/result.js';
import { SiteIndex } from '../site/identify.js';
import { Connection } from './connection.js';
import { Deadlines } from './deadlines.js';
import { Dispatcher, type DispatchHandlers } from './dispatch.js';
import type { Ending } from './ending.js';
import { Exchange } from './exchange.js';
import { watchIdle } from './idle.js';
import type { RouterLog } from './log.js';
import { outcomeOf, refusedOutcome } from './outcomes.js';
import { refusalPage } from './refusal-page.js';
import type { RefusalReason } from './refusals.js';
import type { RoutedSite } from './routed-site.js';

/** What a connection that has been answered may still send before it is closed, in milliseconds. */
const lingerMs = 5000;
const receiveBuffer = Buffer.allocUnsafe(64 * 1024);

/** What is to be refused, and what is known of it by then. */
interface Refused {
  readonly requestId: number;
  readonly keep: boolean;
  readonly reason: RefusalReason;
  readonly head: Head | undefined;
  readonly protocolStatus?: ProtocolStatusCode;
  /** For a request that had been admitted. */
  readonly ending?: Ending;
  readonly outcome?: Outcome;
}

export interface ServerHandlers extends Omit<DispatchHandlers, 'ended'> {
  /** A connection has ended. */
  closed(): void;
}

export class Server {
  readonly sites = new SiteIndex<RoutedSite>();
  readonly byId = new Map<number, RoutedSite>();
  readonly connections = new Set<Connection>();
  readonly dispatcher: Dispatcher;
  isDraining = false;
  readonly #poller: Poller;
  readonly #settings: RouterSettings;
  readonly #reading: ReaderSettings;
  readonly #log: RouterLog;
  readonly #handlers: ServerHandlers;
  readonly #deadlines: Deadlines;

  constructor(poller: Poller, settings: RouterSettings, log: RouterLog, handlers: ServerHandlers) {
    this.#poller = poller;
    this.#settings = settings;
    this.#log = log;
    this.#handlers = handlers;
    this.#reading = {
      limits: { ...defaultReadLimits, maxParamsBytes: settings.maxHeadBytes },
      spoolDirectory: settings.spoolDirectory,
      maxConnections: settings.maxConnections,
    };
    this.dispatcher = new Dispatcher(poller, {
      ...handlers,
      ended: (exchange, ending) => {
        this.#ended(exchange, ending);
      },
    });
    this.#deadlines = new Deadlines(this.connections, {
      readingTooLong: (connection) => {
        this.#readTimeout(connection);
      },
      waitingTooLong: (exchange) => {
        this.dispatcher.leave(exchange, 'queue-timeout');
      },
      runningTooLong: (exchange) => {
        this.dispatcher.timeOut(exchange);
      },
    });
  }

  /** A web server has connected; `fd` is taken over. */
  connected(fd: number, listenerSite: number): void {
    const deadlineMs = performance.now() + this.#settings.readTimeoutMs;
    const reader = new RequestReader(this.#reading);
    const connection = new Connection(fd, listenerSite, reader, deadlineMs, this.#poller, {
      readable: (c) => {
        this.#read(c);
      },
      hungUp: (c) => {
        this.#hungUp(c);
      },
      flushed: (c) => {
        c.exchange?.relay?.resume();
        if (!c.hasUnsent) this.#afterAnswer(c);
      },
    });
    this.connections.add(connection);
    this.#read(connection);
  }

  /** Requests that are under way still finish. */
  drain(): void {
    this.isDraining = true;
    for (const connection of [...this.connections]) {
      if (connection.isReading && connection.reader.phase === 'idle') this.#close(connection);
    }
  }

  /** A site's pool, or the site itself, has changed. */
  siteChanged(site: RoutedSite): void {
    watchIdle(site, this.dispatcher);
    if (site.isClosing && site.pool.isQuiet) this.byId.delete(site.id);
  }

  /** Bytes → records. Stops while a request of this connection is under way: the kernel keeps what comes. */
  #read(connection: Connection): void {
    while (connection.isOpen && connection.canRead && connection.isReading) {
      const length = connection.receive(receiveBuffer);
      if (length > 0) this.#push(connection, length);
      else {
        if (connection.canRead) this.#close(connection); // its end, or an error
        return;
      }
    }
  }

  /** The buffer is shared: nothing may be received until its bytes have been used or set aside. */
  #push(connection: Connection, length: number): void {
    const { reader } = connection;
    let at = 0;
    let goesOn = true;
    connection.isBeingPushed = true;
    if (!connection.isLingering) connection.deadlineMs = performance.now() + this.#settings.readTimeoutMs;
    this.#deadlines.watch();
    while (goesOn && connection.isOpen && connection.isReading) {
      const result = reader.push(receiveBuffer, at, length);
      at = reader.position;
      const replies = reader.takeReplies();
      if (replies !== undefined) connection.send(replies);
      goesOn = this.#step(connection, result);
    }
    connection.isBeingPushed = false;
    // Only a web server that sends its next request before it has this one's answer gets here.
    if (at < length && connection.isOpen) connection.unread(receiveBuffer, at, length);
  }

  /** Returns whether to push the rest of the chunk. */
  #step(connection: Connection, result: ReadResult): boolean {
    switch (result.kind) {
      case 'more':
        return false;
      case 'head':
        return this.#headComplete(connection, result.head);
      case 'complete':
        this.#complete(connection, result.request);
        return true;
      case 'refuse':
        this.#refuse(connection, result);
        return true;
      case 'drained':
        return this.#drained(connection);
      case 'aborted':
        connection.send(encodeEndRequest(result.requestId));
        if (!result.keep) this.#close(connection);
        else connection.reader.reset();
        return result.keep;
      case 'broken':
        this.#log.logger.warn({ breach: result.breach }, 'connection closed: not FastCGI');
        this.#close(connection);
        return false;
    }
  }

  /** Request head → site. */
  #headComplete(connection: Connection, head: Head): boolean {
    const site = this.sites.identify(head, this.byId.get(connection.listenerSite));
    head.blankKeys();
    if (typeof site === 'string') {
      connection.reader.discard();
      this.#refuse(connection, { requestId: head.requestId, keep: head.keep, reason: site, head });
    } else {
      connection.site = site;
      connection.reader.bodyLimit = site.config.maxBodyBytes;
    }
    return true;
  }

  /** Site → verdict → worker. */
  #complete(connection: Connection, request: IncomingRequest): void {
    const { site } = connection;
    if (site === undefined) throw new Error('a request is complete that belongs to no site');
    const exchange = new Exchange(connection, site, request.head, request.body, performance.now());
    connection.exchange = exchange;
    this.dispatcher.admit(exchange);
  }

  /** Worker → outcome. */
  #ended(exchange: Exchange, ending: Ending): void {
    const { connection, head, site } = exchange;
    const { requestId, keep } = head;
    const outcome = outcomeOf(exchange, ending);
    connection.exchange = undefined;
    if (ending.kind === 'done') {
      site.counters.count(outcome);
      this.#answered(connection, keep);
    } else if (ending.kind === 'refused') {
      this.#refuse(connection, { requestId, keep, reason: ending.reason, head, ending, outcome });
    } else {
      this.#record(outcome, site, head, undefined);
      connection.end();
      this.#forget(connection);
    }
  }

  /** A refusal is an ordinary answer; the rest of an unfinished request is read and thrown away meanwhile. */
  #refuse(connection: Connection, refused: Refused): void {
    const { requestId, keep, reason, head, ending, protocolStatus } = refused;
    const site = connection.site;
    const outcome = refused.outcome ?? refusedOutcome(site?.name, reason);
    this.#record(outcome, site, head, ending?.note?.found);
    connection.keepAfterAnswer = keep;
    connection.isLingering = connection.reader.phase === 'drain';
    connection.send(refusalPage(requestId, reason, outcome.id, protocolStatus));
    if (!connection.isLingering) this.#answered(connection, keep);
    else connection.deadlineMs = performance.now() + lingerMs;
  }

  #drained(connection: Connection): boolean {
    connection.isLingering = false;
    this.#answered(connection, connection.keepAfterAnswer);
    return connection.isOpen;
  }

  /** The answer is with the kernel, or on its way through `connection.send`. */
  #answered(connection: Connection, keep: boolean): void {
    connection.keepAfterAnswer = keep;
    connection.site = undefined;
    connection.isAnswered = true;
    if (!connection.hasUnsent) this.#afterAnswer(connection);
  }

  #afterAnswer(connection: Connection): void {
    if (!connection.isOpen || !connection.isAnswered) return;
    connection.isAnswered = false;
    if (!connection.keepAfterAnswer || this.isDraining) {
      connection.end();
      this.#forget(connection);
      return;
    }
    connection.reader.reset();
    connection.deadlineMs = Number.POSITIVE_INFINITY;
    if (connection.isBeingPushed) return;
    const left = connection.takeUnread();
    if (left !== undefined) {
      left.copy(receiveBuffer);
      this.#push(connection, left.length);
    }
    this.#read(connection);
  }

  /** Waiting requests of a visitor who has left are dropped. A running one is left to its script. */
  #hungUp(connection: Connection): void {
    const { exchange } = connection;
    if (exchange === undefined) this.#close(connection);
    else if (exchange.state === 'waiting') this.dispatcher.leave(exchange, 'visitor-left');
  }

  #readTimeout(connection: Connection): void {
    const { reader } = connection;
    const hasBegun = reader.phase === 'params' || reader.phase === 'body';
    if (connection.isLingering || !hasBegun || reader.requestId === 0) {
      this.#close(connection);
      return;
    }
    reader.discard();
    const { requestId } = reader;
    this.#refuse(connection, { requestId, keep: false, reason: 'read-timeout', head: undefined });
  }

  #record(
    outcome: Outcome,
    site: RoutedSite | undefined,
    head: Head | undefined,
    found: number | undefined,
  ): void {
    site?.counters.count(outcome);
    this.#log.refusal(outcome, head, found);
  }

  #close(connection: Connection): void {
    connection.release();
    this.#forget(connection);
  }

  #forget(connection: Connection): void {
    this.connections.delete(connection);
    this.#handlers.closed();
  }
}
