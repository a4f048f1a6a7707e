/**
 * The router's process: started with nothing but a log and its channel, started again when it dies. It begins as
 * root, because its code may lie where nobody else can read it, and becomes its own user before it is given a
 * socket (docs/decisions).
 *
 * Privilege: root. Of what the router says only fixed-size numbers are read.
 */

import { Channel } from '../control/channel.js';
import { type FiguresMessage, figuresBytes, readFigures } from '../control/figure-messages.js';
import {
  type AutoDemand,
  autoDemandBytes,
  orderMaxBytes,
  type RouterOrder,
  type RouterRequest,
  readAutoDemand,
  readRequest,
  requestBytes,
  writeOrder,
} from '../control/router-messages.js';
import type { UserEntry } from '../os/identity.js';
import type { Poller } from '../os/poller.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { close, seqpacketPair, setBlocking } from '../os/socket.js';
import { startOwnProgram } from './own-process.js';

/** A router that lets more messages than this pile up does not work any more. */
const maxWaiting = 100_000;

/**
 * No helper threads wake up for the collection of short-lived objects. A larger space for them than what the processor
 * caches hold has not been faster, and would stay resident.
 */
const engineOptions = ['--single-threaded', '--max-semi-space-size=4'];

/**
 * Every request passes through it for some tens of microseconds: where scripts keep all processors busy, none of them
 * should have to wait for its turn twice.
 */
const routerNice = -10;

export interface RouterHandlers {
  request(request: RouterRequest): void;
  figures(message: FiguresMessage): void;
  /** It asks for workers of an automatic site. */
  autoDemand(demand: AutoDemand): void;
  /** Its channel has ended. The process has ended or is ended by the caller. */
  lost(): void;
}

export class RouterProcess {
  readonly pid: number;
  readonly #pidfd: number;
  readonly #channel: Channel;
  readonly #bytes = Buffer.allocUnsafe(orderMaxBytes);

  /** @param spool the only directory that it may write to */
  constructor(poller: Poller, user: UserEntry, logFd: number, spool: string, handlers: RouterHandlers) {
    const [ours, theirs] = seqpacketPair();
    setBlocking(theirs, false);
    this.pid = startOwnProgram({
      title: 'guise: router',
      entry: 'router/main.js',
      engineOptions,
      user,
      logFd,
      channel: theirs,
      writable: spool,
      nice: routerNice,
    });
    close(theirs);
    this.#pidfd = pidfdOpen(this.pid);
    const buffer = Buffer.allocUnsafe(2 * Math.max(requestBytes, autoDemandBytes, figuresBytes));
    this.#channel = new Channel(poller, ours, buffer, maxWaiting, {
      message: (bytes, length, info) => {
        for (let i = 1; i <= (info[0] ?? 0); i++) close(info[i] ?? -1); // it has none to give
        if (!deliver(handlers, bytes, length)) this.kill();
      },
      ended: () => {
        handlers.lost();
      },
    });
  }

  /** Sends an order. A descriptor goes along for good, or as a copy when it is `lent` (control/channel.ts). */
  order(order: RouterOrder, payload?: unknown, descriptor = -1, lent = false): void {
    const length = writeOrder(this.#bytes, order, payload);
    if (!this.#channel.send(this.#bytes, length, descriptor, lent)) this.kill();
  }

  kill(): void {
    pidfdSignal(this.#pidfd, 9);
  }

  /** After its death: lets go of what stood for it. */
  release(): void {
    this.#channel.close();
    close(this.#pidfd);
  }
}

/** Returns whether it was a message. */
function deliver(handlers: RouterHandlers, bytes: Buffer, length: number): boolean {
  const figures = readFigures(bytes, length);
  const request = figures === undefined ? readRequest(bytes, length) : undefined;
  const auto = readAutoDemand(bytes, length);
  if (figures !== undefined) handlers.figures(figures);
  else if (request !== undefined) handlers.request(request);
  else if (auto !== undefined) handlers.autoDemand(auto);
  else return false;
  return true;
}
