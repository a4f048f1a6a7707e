/**
 * The router's own answers, and what becomes of a connection when its request has been answered, by whomever: it
 * is ended, or reads its next request, once nothing waits to be written and nothing of the request is unread.
 */

import type { Outcome } from '../account/outcome.js';
import type { ProtocolStatusCode } from '../fastcgi/constants.js';
import type { Connection } from './connection.js';
import { refusalPage } from './refusal-page.js';
import type { RefusalReason } from './refusals.js';

/** What a connection that has been answered may still send before it is closed, in milliseconds. */
const lingerMs = 5000;

export interface RefusedRequest {
  readonly requestId: number;
  readonly keep: boolean;
  readonly reason: RefusalReason;
  readonly protocolStatus?: ProtocolStatusCode;
}

export interface ReplyHandlers {
  /** The connection may be read: it is kept, or there is a rest of its request. */
  next(connection: Connection): void;
  /** The connection has been closed. */
  closed(connection: Connection): void;
}

export class Reply {
  /** No connection is kept any more. */
  isDraining = false;
  readonly #handlers: ReplyHandlers;

  constructor(handlers: ReplyHandlers) {
    this.#handlers = handlers;
  }

  /** A refusal is an ordinary answer; the rest of an unfinished request is read and thrown away meanwhile. */
  refuse(connection: Connection, refused: RefusedRequest, outcome: Outcome): void {
    const { requestId, keep, reason, protocolStatus } = refused;
    const { owesEnd } = connection;
    if (owesEnd) connection.reader.discard();
    connection.owesEnd = false;
    connection.keepAfterAnswer = keep;
    connection.isLingering = connection.reader.phase === 'drain';
    connection.send(refusalPage(requestId, reason, outcome.id, protocolStatus));
    if (connection.isLingering) connection.deadlineMs = performance.now() + lingerMs;
    else this.answered(connection, keep);
    // Nobody has been reading since the request was complete.
    if (owesEnd) this.#handlers.next(connection);
  }

  /** What was left of a refused request has been read. */
  drained(connection: Connection): void {
    connection.isLingering = false;
    this.answered(connection, connection.keepAfterAnswer);
  }

  /** The answer is with the kernel, or on its way through `connection.send`. */
  answered(connection: Connection, keep: boolean): void {
    connection.keepAfterAnswer = keep;
    connection.site = undefined;
    connection.isAnswered = true;
    this.flushed(connection);
  }

  /** To be called when everything that waited has been written. */
  flushed(connection: Connection): void {
    if (!connection.isOpen || !connection.isAnswered || connection.hasUnsent) return;
    connection.isAnswered = false;
    if (!connection.keepAfterAnswer || this.isDraining) {
      this.cut(connection);
      return;
    }
    connection.reader.reset();
    connection.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handlers.next(connection);
  }

  /** Ends the connection for everybody who holds a copy of it. */
  cut(connection: Connection): void {
    connection.end();
    this.#handlers.closed(connection);
  }

  /** Lets go of a connection that nobody answers on. */
  close(connection: Connection): void {
    connection.release();
    this.#handlers.closed(connection);
  }
}
