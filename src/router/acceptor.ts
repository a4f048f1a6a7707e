/**
 * The listening sockets: accepts what comes, from the web server's users only, and stops while there are as many
 * connections as the router may hold; the kernel's queue keeps the others. On a Unix socket the kernel vouches for the
 * peer; over TCP it is asked who owns the other end, and a peer of which it cannot tell is turned away.
 */

import { errno, errnoName } from '../os/errno.js';
import { POLLIN, type Poller } from '../os/poller.js';
import { accept, close, tcpPeerUid } from '../os/socket.js';
import type { RouterLog } from './log.js';

/** Connections accepted before others get their turn. */
const perTurn = 64;

export interface Listener {
  /** Whose socket it is; 0 for those that all sites share. */
  readonly site: number;
  readonly fd: number;
  readonly isTcp: boolean;
}

export interface AcceptorSetup {
  readonly poller: Poller;
  readonly log: RouterLog;
  readonly webUids: readonly number[];
  readonly maxConnections: number;
  /** How many connections there are. */
  count(): number;
  connected(fd: number, listener: Listener): void;
}

export class Acceptor {
  readonly #setup: AcceptorSetup;
  readonly #webUids: ReadonlySet<number>;
  readonly #listeners = new Set<Listener>();
  #isPaused = false;

  constructor(setup: AcceptorSetup) {
    this.#setup = setup;
    this.#webUids = new Set(setup.webUids);
  }

  /** Its descriptor is taken over. */
  add(listener: Listener): void {
    this.#listeners.add(listener);
    if (!this.#isPaused) this.#watch(listener);
  }

  /** The site is served no more. */
  remove(site: number): void {
    for (const listener of [...this.#listeners]) if (listener.site === site) this.#close(listener);
  }

  /** Takes what already waits, then listens no more. */
  close(): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#isPaused) this.#accept(listener);
      this.#close(listener);
    }
  }

  /** A connection has ended: there is room again. */
  resume(): void {
    if (!this.#isPaused || this.#setup.count() >= this.#setup.maxConnections) return;
    this.#isPaused = false;
    for (const listener of this.#listeners) this.#watch(listener);
  }

  #close(listener: Listener): void {
    this.#listeners.delete(listener);
    if (!this.#isPaused) this.#setup.poller.remove(listener.fd);
    close(listener.fd);
  }

  #watch(listener: Listener): void {
    this.#setup.poller.add(listener.fd, POLLIN, () => {
      this.#accept(listener);
    });
  }

  #pause(reason: string): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#setup.log.logger.warn(
      { reason, connections: this.#setup.count() },
      'no more connections are accepted',
    );
    for (const { fd } of this.#listeners) this.#setup.poller.remove(fd);
  }

  #accept(listener: Listener): void {
    for (let i = 0; i < perTurn; i++) {
      if (this.#setup.count() >= this.#setup.maxConnections) {
        this.#pause('max_connections');
        return;
      }
      const { fd, uid } = accept(listener.fd);
      if (fd >= 0) this.#admit(fd, listener.isTcp ? tcpPeerUid(fd) : uid, listener);
      else if (fd === -errno.EMFILE || fd === -errno.ENFILE) {
        this.#pause(errnoName(-fd));
        return;
      } else if (fd !== -errno.ECONNABORTED) return;
    }
  }

  /** Whatever the socket's mode says: nobody but the web server speaks for visitors. */
  #admit(fd: number, uid: number, listener: Listener): void {
    if (this.#webUids.has(uid)) {
      this.#setup.connected(fd, listener);
      return;
    }
    close(fd);
    this.#setup.log.stranger(uid);
  }
}
