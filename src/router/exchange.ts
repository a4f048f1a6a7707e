/**
 * One request on its way through the router: what it is, where it stands, and when it must be over. Owns the body's
 * file until a worker has it.
 */

import { close } from '../os/socket.js';
import { noBody } from '../request/body.js';
import type { Head } from '../request/head.js';
import type { StoredBody } from '../request/spool.js';
import type { Connection } from './connection.js';
import type { Ending } from './ending.js';
import type { Relay } from './relay.js';
import type { RoutedSite } from './routed-site.js';

/** waiting: for a worker. running: a worker has it. over: answered, refused or given up. */
export type ExchangeState = 'waiting' | 'running' | 'over';

export class Exchange {
  readonly connection: Connection;
  readonly site: RoutedSite;
  readonly head: Head;
  readonly readMs: number;
  /** Names it in the ledger, on pages and for `guise kill`. */
  readonly id: string;
  /** Parameters and body. */
  readonly bytesIn: number;
  state: ExchangeState = 'waiting';
  /** When its present state must have ended. */
  deadlineMs: number;
  /** The worker that runs it, 0 before. */
  worker = 0;
  /** That worker's process, as the master knows it from the kernel. */
  pid = 0;
  startedMs = 0;
  /** A part of the answer may have reached the web server. */
  answerBegan = false;
  /** Why its worker is being killed, once that has been asked for. */
  stopped: 'time-limit' | 'killed' | 'visitor-left' | undefined;
  /** Who has asked for its end with `guise kill`. */
  killedBy: number | undefined;
  /** When it becomes slow; Infinity: never, or it has been told. */
  slowAtMs = Number.POSITIVE_INFINITY;
  /** The answer's way where the connection itself must not be lent. */
  relay: Relay | undefined;
  /** How it ends once the relay has passed on the last bytes. */
  pendingEnding: Ending | undefined;
  #body: StoredBody;

  constructor(
    connection: Connection,
    site: RoutedSite,
    head: Head,
    body: StoredBody,
    nowMs: number,
    id: string,
  ) {
    this.id = id;
    this.connection = connection;
    this.site = site;
    this.head = head;
    this.#body = body;
    this.readMs = nowMs;
    this.bytesIn = head.params.length + body.length;
    this.deadlineMs = nowMs + site.config.queueTimeoutMs;
  }

  /** A worker has it. */
  run(worker: number, pid: number, nowMs: number): void {
    this.state = 'running';
    this.worker = worker;
    this.pid = pid;
    this.startedMs = nowMs;
    const { timeLimitMs, slowAfterMs } = this.site.config;
    this.deadlineMs = nowMs + timeLimitMs;
    if (slowAfterMs > 0) this.slowAtMs = nowMs + slowAfterMs;
    this.releaseBody();
  }

  get body(): StoredBody {
    return this.#body;
  }

  /** The worker has its own copy, or nobody needs it any more. */
  releaseBody(): void {
    if (this.#body.kind === 'file') close(this.#body.fd);
    this.#body = noBody;
  }
}

/** Whether every request that a kept connection carries is this site's, and runs as the same user. */
export function mayBeLent({ connection, site }: Exchange): boolean {
  return connection.listenerSite === site.id && !site.hasSeveralUsers;
}
