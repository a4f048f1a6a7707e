/**
 * Bytes → records → requests: everything between a readable connection and a complete request. What a request
 * means is the server's business (serve.ts).
 */

import { encodeEndRequest } from '../fastcgi/encode.js';
import { errno } from '../os/errno.js';
import type { Head } from '../request/head.js';
import type { IncomingRequest, ReadResult, Refusal } from '../request/result.js';
import type { Connection } from './connection.js';
import type { RouterLog } from './log.js';

export interface IntakeHandlers {
  /** The parameters are complete; a body may follow. May refuse the request already. */
  head(connection: Connection, head: Head): void;
  /** All of the request is there. */
  complete(connection: Connection, request: IncomingRequest): void;
  refused(connection: Connection, refusal: Refusal): void;
  /** The rest of a refused request has been read. */
  drained(connection: Connection): void;
  /** The connection cannot be used any more. */
  close(connection: Connection): void;
}

/** Shared by all connections: nothing may be received until the bytes in it have been used or set aside. */
const buffer = Buffer.allocUnsafe(256 * 1024);

export class Intake {
  readonly #readTimeoutMs: number;
  readonly #log: RouterLog;
  readonly #handlers: IntakeHandlers;
  #isPushing = false;
  /** Connections that may be read again, once the bytes in the buffer have been used. */
  readonly #deferred = new Set<Connection>();

  constructor(readTimeoutMs: number, log: RouterLog, handlers: IntakeHandlers) {
    this.#readTimeoutMs = readTimeoutMs;
    this.#log = log;
    this.#handlers = handlers;
  }

  /** Stops while a request of this connection is under way: the kernel keeps what comes. */
  read(connection: Connection): void {
    if (this.#isPushing) {
      // A request has ended another one, which may be of another connection.
      this.#deferred.add(connection);
      return;
    }
    this.#read(connection);
    if (this.#deferred.size === 0) return;
    for (const next of this.#deferred) {
      this.#deferred.delete(next);
      this.#read(next);
    }
  }

  #read(connection: Connection): void {
    const left = connection.takeUnread();
    if (left !== undefined) {
      left.copy(buffer);
      this.#push(connection, left.length);
    }
    while (connection.isOpen && connection.canRead && connection.isReading) {
      const length = connection.receive(buffer);
      if (length > 0) this.#push(connection, length);
      else if (length !== -errno.EAGAIN) {
        this.#handlers.close(connection); // its end, or an error
        return;
      }
    }
    if (connection.isReading) connection.watch();
  }

  #push(connection: Connection, length: number): void {
    const { reader } = connection;
    let at = 0;
    let goesOn = true;
    this.#isPushing = true;
    if (!connection.isLingering) connection.deadlineMs = performance.now() + this.#readTimeoutMs;
    while (goesOn && connection.isOpen && connection.isReading) {
      const result = reader.push(buffer, at, length);
      at = reader.position;
      const replies = reader.takeReplies();
      if (replies !== undefined) connection.send(replies);
      goesOn = this.#step(connection, result);
    }
    if (connection.isOpen && connection.isReading && at === length) this.#completeEarly(connection);
    this.#isPushing = false;
    // Only a web server that sends its next request before it has this one's answer gets here.
    if (at < length && connection.isOpen) connection.unread(buffer, at, length);
  }

  /** Apache looks for an answer before it says that the body ends, and seldom has to sleep if there is one. */
  #completeEarly(connection: Connection): void {
    const request = connection.reader.completeEarly();
    if (request === undefined || connection.isLingering) return;
    connection.owesEnd = true;
    this.#handlers.complete(connection, request);
  }

  /** Returns whether to push the rest of the chunk. */
  #step(connection: Connection, result: ReadResult): boolean {
    const handlers = this.#handlers;
    switch (result.kind) {
      case 'more':
        return false;
      case 'head':
        handlers.head(connection, result.head);
        return true;
      case 'complete':
        handlers.complete(connection, result.request);
        return true;
      case 'refuse':
        handlers.refused(connection, result);
        return true;
      case 'drained':
        handlers.drained(connection);
        return true;
      case 'aborted':
        connection.send(encodeEndRequest(result.requestId));
        connection.site = undefined;
        if (result.keep) connection.reader.reset();
        else handlers.close(connection);
        return true;
      case 'broken':
        this.#log.broken(result.breach);
        handlers.close(connection);
        return false;
    }
  }
}
