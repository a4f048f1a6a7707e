/**
 * One connection from a web server: its descriptor, what it is reading, what waits to be written. Owns the
 * descriptor and closes it. Decides nothing: the router does (serve.ts).
 *
 * Most connections bring one request, whole, and are over before anything else could happen on them. So the poller
 * learns of one only when something is waited for (`watch`): more bytes, room to write, or the visitor's leaving. The
 * registration is edge-triggered and made once, so each event is a wake-up that something changed; `canRead`
 * remembers that unread bytes may wait while a request runs.
 */

import { errno } from '../os/errno.js';
import { POLLERR, POLLET, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, type Poller } from '../os/poller.js';
import { close, endConnection, receive, send } from '../os/socket.js';
import type { RequestReader } from '../request/reader.js';
import type { Exchange } from './exchange.js';
import type { RoutedSite } from './routed-site.js';

/** POLLOUT only when something waits: a worker that answers on a copy would wake us at each of its writes. */
const whileReading = POLLIN | POLLRDHUP | POLLET;

export interface ConnectionHandlers {
  /** Bytes may be there to be read. */
  readable(connection: Connection): void;
  /** The web server has closed the connection. */
  hungUp(connection: Connection): void;
  /** Everything that waited has been written. */
  flushed(connection: Connection): void;
}

export class Connection {
  readonly fd: number;
  /** The site whose own socket it came in on, 0 for the shared one. A site that changes gets another number. */
  listenerSite: number;
  /** That site's name, which stays. */
  listenerName: string | undefined;
  readonly reader: RequestReader;
  /** It came in over TCP, where a site's own word that it needs no key does not count. */
  demandsKey = false;
  /** The site that the request being read belongs to, once its head is known. */
  site: RoutedSite | undefined;
  exchange: Exchange | undefined;
  /** The end of its request's body was not waited for, and has not been read: whoever answers reads it. */
  owesEnd = false;
  /** An answer is complete, but perhaps not yet written. */
  isAnswered = false;
  /** What becomes of the connection then. */
  keepAfterAnswer = false;
  /** The answer has been given; what the peer still sends is thrown away, then it ends. */
  isLingering = false;
  canRead = true;
  isOpen = true;
  /** When the present read must have made progress. */
  deadlineMs: number;
  readonly #poller: Poller;
  readonly #handlers: ConnectionHandlers;
  #isWatched = false;
  /** The peer will send no more: behind what has come lies the end, which no event will tell again. */
  #peerEnded = false;
  #unsent: Buffer[] = [];
  #unread: Buffer | undefined;

  constructor(
    fd: number,
    listenerSite: number,
    reader: RequestReader,
    deadlineMs: number,
    poller: Poller,
    handlers: ConnectionHandlers,
  ) {
    this.fd = fd;
    this.listenerSite = listenerSite;
    this.reader = reader;
    this.deadlineMs = deadlineMs;
    this.#poller = poller;
    this.#handlers = handlers;
  }

  /** From now on its handlers are called. What is the case already, they hear at once. */
  watch(): void {
    if (this.#isWatched || !this.isOpen) return;
    this.#isWatched = true;
    this.#poller.add(this.fd, this.#interest, (events) => {
      this.#happened(events);
    });
  }

  /** No request is under way, and no answer waits to be written. */
  get isReading(): boolean {
    return this.exchange === undefined && !this.isAnswered;
  }

  /** recv(2) into `buffer`; 0 at the end, negative errno. */
  receive(buffer: Buffer): number {
    const length = receive(this.fd, buffer, 0, buffer.length);
    // Fewer bytes than there was room for are all that there were, epoll(7).
    const isDrained = length === -errno.EAGAIN || (length > 0 && length < buffer.length && !this.#peerEnded);
    if (isDrained) this.canRead = false;
    return length;
  }

  /** Writes bytes that are kept until they are written. Returns whether that is already so. */
  send(bytes: Buffer): boolean {
    this.#unsent.push(bytes);
    if (this.#unsent.length > 1) return false;
    const isFlushed = this.#flush();
    if (isFlushed) return true;
    if (this.#isWatched) this.#poller.change(this.fd, this.#interest);
    else this.watch();
    return false;
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** Keeps what was received behind a request until that one is over. */
  unread(buffer: Buffer, start: number, end: number): void {
    this.#unread = Buffer.from(buffer.subarray(start, end));
  }

  takeUnread(): Buffer | undefined {
    const unread = this.#unread;
    this.#unread = undefined;
    return unread;
  }

  /** Ends it for everybody who holds a copy, a script's stray child included. */
  end(): void {
    if (this.#leave()) endConnection(this.fd);
  }

  /** Lets go of this process's copy only. */
  release(): void {
    if (this.#leave()) close(this.fd);
  }

  /** Returns whether it was open. */
  #leave(): boolean {
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.reader.close();
    if (this.#isWatched) this.#poller.remove(this.fd);
    this.#unsent = [];
    return true;
  }

  get #interest(): number {
    return this.hasUnsent ? whileReading | POLLOUT : whileReading;
  }

  #happened(events: number): void {
    if ((events & (POLLIN | POLLRDHUP)) !== 0) this.canRead = true;
    if ((events & POLLRDHUP) !== 0) this.#peerEnded = true;
    // A peer that has hung up takes nothing any more, though the kernel may never say so by POLLOUT.
    const mayFlush = (events & (POLLOUT | POLLHUP | POLLERR)) !== 0 && this.hasUnsent;
    if (mayFlush && this.#flush()) {
      this.#poller.change(this.fd, this.#interest);
      this.#handlers.flushed(this);
    }
    if (this.isOpen && (events & (POLLHUP | POLLERR)) !== 0) this.#handlers.hungUp(this);
    else if (this.isOpen && this.canRead) this.#handlers.readable(this);
  }

  #flush(): boolean {
    let next = this.#unsent[0];
    while (next !== undefined) {
      const sent = send(this.fd, next, 0, next.length);
      if (sent < next.length) {
        if (sent > 0) this.#unsent[0] = next.subarray(sent);
        else if (sent !== -errno.EAGAIN) this.#unsent = []; // the peer is gone, which its hang-up tells
        return this.#unsent.length === 0;
      }
      this.#unsent.shift();
      next = this.#unsent[0];
    }
    return true;
  }
}
