/**
 * One connection from a web server: its descriptor, what it is reading, what waits to be written. Owns the
 * descriptor and closes it. Decides nothing: the router does (serve.ts).
 *
 * The registration is edge-triggered and made once, so each event is a wake-up that something changed; `canRead`
 * remembers that unread bytes may wait while a request runs.
 */

import { errno } from '../os/errno.js';
import { POLLERR, POLLET, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, type Poller } from '../os/poller.js';
import { close, receive, send, shutdownBoth } from '../os/socket.js';
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
    poller.add(fd, whileReading, (events) => {
      if ((events & (POLLIN | POLLRDHUP)) !== 0) this.canRead = true;
      // A peer that has hung up takes nothing any more, though the kernel may never say so by POLLOUT.
      const mayFlush = (events & (POLLOUT | POLLHUP | POLLERR)) !== 0 && this.#unsent.length > 0;
      if (mayFlush && this.#flush()) {
        poller.change(fd, whileReading);
        handlers.flushed(this);
      }
      if (this.isOpen && (events & (POLLHUP | POLLERR)) !== 0) handlers.hungUp(this);
      else if (this.isOpen && this.canRead) handlers.readable(this);
    });
  }

  /** No request is under way, and no answer waits to be written. */
  get isReading(): boolean {
    return this.exchange === undefined && !this.isAnswered;
  }

  /** recv(2) into `buffer`; 0 at the end, negative errno. */
  receive(buffer: Buffer): number {
    const length = receive(this.fd, buffer, 0, buffer.length);
    if (length === -errno.EAGAIN) this.canRead = false;
    return length;
  }

  /** Writes bytes that are kept until they are written. Returns whether that is already so. */
  send(bytes: Buffer): boolean {
    this.#unsent.push(bytes);
    if (this.#unsent.length > 1) return false;
    const isFlushed = this.#flush();
    if (!isFlushed) this.#poller.change(this.fd, whileReading | POLLOUT);
    return isFlushed;
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
    if (!this.isOpen) return;
    shutdownBoth(this.fd);
    this.release();
  }

  /** Lets go of this process's copy only. */
  release(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.reader.close();
    this.#poller.remove(this.fd);
    close(this.fd);
    this.#unsent = [];
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
