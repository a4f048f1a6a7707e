/**
 * Looks at all connections a few times a second, as long as one of them has a deadline; an idle router has no
 * timer. Coarse on purpose: limits here are seconds.
 */

import type { Connection } from './connection.js';
import type { Exchange } from './exchange.js';

const periodMs = 250;

export interface DeadlineHandlers {
  /** The time to find out which requests have ended already. */
  looking(): void;
  readingTooLong(connection: Connection): void;
  waitingTooLong(exchange: Exchange): void;
  runningTooLong(exchange: Exchange): void;
  /** Told once of a request. */
  runningSlowly(exchange: Exchange): void;
  dyingTooLong(exchange: Exchange): void;
}

export class Deadlines {
  readonly #connections: ReadonlySet<Connection>;
  readonly #handlers: DeadlineHandlers;
  #timer: NodeJS.Timeout | undefined;

  constructor(connections: ReadonlySet<Connection>, handlers: DeadlineHandlers) {
    this.#connections = connections;
    this.#handlers = handlers;
  }

  /** To be called when a connection may have got a deadline. */
  watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#sweep(performance.now())) this.watch();
    }, periodMs);
  }

  /** Returns whether there is anything left to watch. */
  #sweep(nowMs: number): boolean {
    let isNeeded = false;
    this.#handlers.looking();
    for (const connection of [...this.#connections]) {
      const { exchange } = connection;
      const deadlineMs = exchange?.deadlineMs ?? connection.deadlineMs;
      if (deadlineMs !== Number.POSITIVE_INFINITY) isNeeded = true;
      if (exchange !== undefined && nowMs >= exchange.slowAtMs && exchange.state === 'running') {
        exchange.slowAtMs = Number.POSITIVE_INFINITY;
        this.#handlers.runningSlowly(exchange);
      }
      if (nowMs < deadlineMs) continue;
      if (exchange === undefined) this.#handlers.readingTooLong(connection);
      else this.#exceeded(exchange);
    }
    return isNeeded;
  }

  #exceeded(exchange: Exchange): void {
    if (exchange.state === 'waiting') this.#handlers.waitingTooLong(exchange);
    else if (exchange.stopped === undefined) this.#handlers.runningTooLong(exchange);
    else this.#handlers.dyingTooLong(exchange);
  }
}
