/**
 * Carries an answer from a worker to a kept connection of the shared socket. Such a connection is never lent: a
 * worker that kept a copy could read the next site's requests and forge their answers. The worker gets one end of a
 * socket pair instead, and only what is well-formed answer to this one request is let through.
 *
 * Its end waits for `release`: the web server uses a connection again as soon as it has seen END_REQUEST, and a worker
 * that wrote one and held on to its job would make the next site's visitor wait.
 */

import { AnswerFollower } from '../fastcgi/follow.js';
import { errno } from '../os/errno.js';
import { POLLIN, type Poller } from '../os/poller.js';
import { close, receive, streamPair } from '../os/socket.js';
import type { Connection } from './connection.js';

const chunkBytes = 64 * 1024;
const chunk = Buffer.allocUnsafe(chunkBytes);

/** ended: the answer is complete, END_REQUEST included. broken: the worker ended early or wrote what is no answer. */
export type RelayEnd = 'ended' | 'broken';

export class Relay {
  /** The worker's end, to be sent along with its job. */
  readonly theirs: number;
  readonly #ours: number;
  readonly #connection: Connection;
  readonly #poller: Poller;
  readonly #follower: AnswerFollower;
  readonly #over: () => void;
  #end: RelayEnd | undefined;
  #isOpen = true;
  #isPaused = false;
  /** END_REQUEST, or the first byte of a record that may become one. */
  #held = Buffer.alloc(0);

  /** @param over is called when it has come to an end, but not after `close` */
  constructor(poller: Poller, connection: Connection, requestId: number, over: () => void) {
    [this.#ours, this.theirs] = streamPair();
    this.#connection = connection;
    this.#poller = poller;
    this.#follower = new AnswerFollower(requestId);
    this.#over = over;
    poller.add(this.#ours, POLLIN, () => {
      this.#forward();
    });
  }

  /** Whether the web server has already got a part of the answer. */
  get began(): boolean {
    return this.#follower.forwarded > this.#held.length;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Undefined while it is open, and when it was closed before its end. */
  get end(): RelayEnd | undefined {
    return this.#end;
  }

  /** The worker has its end. */
  handedOver(): void {
    close(this.theirs);
  }

  /** Sends the end of a complete answer. */
  release(): void {
    if (this.#end !== 'ended' || this.#held.length === 0) return;
    this.#connection.send(this.#held);
    this.#held = Buffer.alloc(0);
  }

  /** The web server takes bytes again. */
  resume(): void {
    if (!this.#isOpen || !this.#isPaused) return;
    this.#isPaused = false;
    this.#poller.change(this.#ours, POLLIN);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#poller.remove(this.#ours);
    close(this.#ours);
  }

  /** One chunk at a time: while the web server is slow, the worker's writes wait in the kernel. */
  #forward(): void {
    const length = receive(this.#ours, chunk, 0, chunkBytes);
    if (length === -errno.EAGAIN) return;
    if (length <= 0) {
      this.#finish('broken');
      return;
    }
    const { forward, state } = this.#follower.push(chunk, 0, length);
    const sent = this.#pass(chunk.subarray(0, forward));
    if (state !== 'open') this.#finish(state);
    else if (!sent) {
      this.#isPaused = true;
      this.#poller.change(this.#ours, 0);
    }
  }

  /** Returns whether the web server has taken everything. */
  #pass(bytes: Buffer): boolean {
    const whole = Buffer.concat([this.#held, bytes]);
    const settled = whole.length - this.#follower.unsettled;
    this.#held = whole.subarray(settled);
    return settled === 0 || this.#connection.send(whole.subarray(0, settled));
  }

  #finish(end: RelayEnd): void {
    this.#end = end;
    this.close();
    this.#over();
  }
}
