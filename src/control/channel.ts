/**
 * One end of a SOCK_SEQPACKET pair: whole messages in both directions, with descriptors. Messages that the kernel
 * does not take at once wait here, in order, up to a bound; a peer that lets more pile up has lost its channel.
 * Owns its descriptor and closes it. Does not interpret anything.
 */

import { errno } from '../os/errno.js';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, type Poller } from '../os/poller.js';
import { close, receiveMessage, sendMessage } from '../os/socket.js';

export interface ChannelHandlers {
  /** A message of `length` bytes lies at the beginning of `buffer`; `info` as in receiveMessage (os/socket.ts). */
  message(buffer: Buffer, length: number, info: Int32Array): void;
  /** The peer is gone or broke the rules; the channel is closed. */
  ended(): void;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly descriptor: number;
  readonly lent: boolean;
}

/** Messages handled before other descriptors get their turn. */
const messagesPerTurn = 64;

export class Channel {
  readonly #poller: Poller;
  readonly #handlers: ChannelHandlers;
  readonly #buffer: Buffer;
  readonly #info = new Int32Array(9);
  readonly #waiting: Waiting[] = [];
  readonly #maxWaiting: number;
  #fd: number;

  /**
   * @param fd taken over; must be non-blocking
   * @param buffer for incoming messages: larger ones end the channel. It may be shared by channels of one process.
   * @param maxWaiting how many messages may wait for a slow peer
   */
  constructor(poller: Poller, fd: number, buffer: Buffer, maxWaiting: number, handlers: ChannelHandlers) {
    this.#poller = poller;
    this.#fd = fd;
    this.#buffer = buffer;
    this.#maxWaiting = maxWaiting;
    this.#handlers = handlers;
    poller.add(fd, POLLIN, (events) => {
      this.#ready(events);
    });
  }

  get isOpen(): boolean {
    return this.#fd >= 0;
  }

  /**
   * Sends `length` bytes from the beginning of `bytes`, and a descriptor with them if `descriptor` is not -1.
   * Returns false when the channel is closed or has just been given up; `ended` is not called then.
   *
   * @param lent whether the descriptor stays the caller's, who keeps it open; else it is taken over, and closed here
   */
  send(bytes: Buffer, length: number, descriptor = -1, lent = false): boolean {
    if (this.#fd < 0) {
      if (!lent && descriptor >= 0) close(descriptor);
      return false;
    }
    if (this.#waiting.length === 0) {
      const sent = sendMessage(this.#fd, bytes, 0, length, descriptor, -1);
      if (sent >= 0) {
        if (!lent && descriptor >= 0) close(descriptor);
        return true;
      }
      if (sent !== -errno.EAGAIN) return this.#giveUp(lent ? -1 : descriptor);
      this.#poller.change(this.#fd, POLLIN | POLLOUT);
    }
    if (this.#waiting.length >= this.#maxWaiting) return this.#giveUp(lent ? -1 : descriptor);
    this.#waiting.push({ bytes: Buffer.from(bytes.subarray(0, length)), descriptor, lent });
    return true;
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#poller.remove(this.#fd);
    close(this.#fd);
    this.#fd = -1;
    for (const waiting of this.#waiting.splice(0)) letGo(waiting);
  }

  #giveUp(descriptor: number): false {
    if (descriptor >= 0) close(descriptor);
    this.close();
    return false;
  }

  #ready(events: number): void {
    if ((events & POLLOUT) !== 0) this.#flush();
    if ((events & (POLLIN | POLLHUP | POLLERR)) !== 0) this.#receive();
  }

  #flush(): void {
    let next = this.#waiting[0];
    while (next !== undefined) {
      const sent = sendMessage(this.#fd, next.bytes, 0, next.bytes.length, next.descriptor, -1);
      if (sent === -errno.EAGAIN) return;
      if (sent === -errno.EPIPE || sent === -errno.ECONNRESET) return; // the receiving side tells the end
      if (sent < 0) {
        // A message that can never be sent, for instance because a lent descriptor was closed.
        this.close();
        this.#handlers.ended();
        return;
      }
      letGo(next);
      this.#waiting.shift();
      next = this.#waiting[0];
    }
    this.#poller.change(this.#fd, POLLIN);
  }

  #receive(): void {
    for (let i = 0; i < messagesPerTurn && this.#fd >= 0; i++) {
      const length = receiveMessage(this.#fd, this.#buffer, this.#info);
      if (length === -errno.EAGAIN) return;
      if (length <= 0 || this.#info[8] === 1) {
        this.close();
        this.#handlers.ended();
        return;
      }
      this.#handlers.message(this.#buffer, length, this.#info);
    }
  }
}

function letGo({ descriptor, lent }: Waiting): void {
  if (!lent && descriptor >= 0) close(descriptor);
}
