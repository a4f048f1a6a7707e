/**
 * The listening sockets: accepts what comes, from the web server's users only, and stops while there are as many
 * connections as the router may hold; the kernel's queue keeps the others.
 */

import { errno, errnoName } from '../os/errno.js';
import { POLLIN, type Poller } from '../os/poller.js';
import { accept, close, peerUid } from '../os/socket.js';
import type { RouterLog } from './log.js';

/** Connections accepted before others get their turn. */
const perTurn = 64;

export interface AcceptorSetup {
  readonly poller: Poller;
  readonly log: RouterLog;
  readonly webUids: readonly number[];
  readonly maxConnections: number;
  /** How many connections there are. */
  count(): number;
  connected(fd: number, site: number): void;
}

export class Acceptor {
  readonly #setup: AcceptorSetup;
  readonly #webUids: ReadonlySet<number>;
  /** Listening descriptors by site; 0 is the shared socket. */
  readonly #listeners = new Map<number, number>();
  #isPaused = false;

  constructor(setup: AcceptorSetup) {
    this.#setup = setup;
    this.#webUids = new Set(setup.webUids);
  }

  add(site: number, fd: number): void {
    this.remove(site);
    this.#listeners.set(site, fd);
    if (!this.#isPaused) this.#watch(site, fd);
  }

  remove(site: number): void {
    const fd = this.#listeners.get(site);
    if (fd === undefined) return;
    this.#listeners.delete(site);
    if (!this.#isPaused) this.#setup.poller.remove(fd);
    close(fd);
  }

  /** Takes what already waits, then listens no more. */
  close(): void {
    for (const [site, fd] of [...this.#listeners]) {
      if (!this.#isPaused) this.#accept(site, fd);
      this.remove(site);
    }
  }

  /** A connection has ended: there is room again. */
  resume(): void {
    if (!this.#isPaused || this.#setup.count() >= this.#setup.maxConnections) return;
    this.#isPaused = false;
    for (const [site, fd] of this.#listeners) this.#watch(site, fd);
  }

  #watch(site: number, fd: number): void {
    this.#setup.poller.add(fd, POLLIN, () => {
      this.#accept(site, fd);
    });
  }

  #pause(reason: string): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#setup.log.logger.warn(
      { reason, connections: this.#setup.count() },
      'no more connections are accepted',
    );
    for (const fd of this.#listeners.values()) this.#setup.poller.remove(fd);
  }

  #accept(site: number, listener: number): void {
    for (let i = 0; i < perTurn; i++) {
      if (this.#setup.count() >= this.#setup.maxConnections) {
        this.#pause('max_connections');
        return;
      }
      const fd = accept(listener);
      if (fd >= 0) this.#admit(fd, site);
      else if (fd === -errno.EMFILE || fd === -errno.ENFILE) {
        this.#pause(errnoName(-fd));
        return;
      } else if (fd !== -errno.ECONNABORTED) return;
    }
  }

  /** Whatever the socket's mode says: nobody but the web server speaks for visitors. */
  #admit(fd: number, site: number): void {
    const uid = peerUid(fd);
    if (this.#webUids.has(uid)) {
      this.#setup.connected(fd, site);
      return;
    }
    close(fd);
    this.#setup.log.stranger(uid);
  }
}
