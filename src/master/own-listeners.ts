/** The listening sockets of sites that have one of their own, from the first time until the site goes. Privilege: root. */

import { randomBytes } from 'node:crypto';
import { close } from '../os/socket.js';
import { type Site, siteSocketPath } from '../site/site.js';

export interface ListenerHandlers {
  /** Makes a site's own listening socket; bound by another name first, where that is not the same. */
  listen(path: string, boundAt: string): number;
  /** Removes a site's own socket from the file system. */
  unlink(path: string): void;
}

interface Listener {
  readonly path: string;
  /** The name that it was bound by, which is what the kernel calls it. */
  readonly boundAt: string;
  readonly fd: number;
  readonly dispatch: Site['dispatch'];
}

export class OwnListeners {
  readonly #listeners = new Map<string, Listener>();
  readonly #runDirectory: string;
  readonly #handlers: ListenerHandlers;

  constructor(runDirectory: string, handlers: ListenerHandlers) {
    this.#runDirectory = runDirectory;
    this.#handlers = handlers;
  }

  /** The socket of this site; -1: it has none. */
  of(name: string): number {
    return this.#listeners.get(name)?.fd ?? -1;
  }

  /** What the kernel calls it. */
  boundNameOf(name: string): string {
    return this.#listeners.get(name)?.boundAt ?? '';
  }

  /**
   * A site that changes keeps its socket, and with it the connections that wait there. Not so when its lane changes:
   * the router must never block on a socket, workers must, and both would share the same open file description.
   * Programs differ in that too, so each gets a socket of its own; the old one serves to the end who waits at his.
   */
  open({ name, dispatch }: Site): void {
    const before = this.#listeners.get(name);
    const isProgram = dispatch === 'program';
    if (before?.dispatch === dispatch && !isProgram) return;
    if (!isProgram) this.close(name);
    const path = siteSocketPath(this.#runDirectory, name);
    // A name that nobody can guess, so that nobody can pass off connections of his as this program's.
    const boundAt = isProgram ? `${this.#runDirectory}/sites/.${randomBytes(8).toString('hex')}` : path;
    this.#listeners.set(name, { path, boundAt, fd: this.#handlers.listen(path, boundAt), dispatch });
    if (isProgram && before !== undefined) close(before.fd);
  }

  close(name: string): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined) return;
    this.#listeners.delete(name);
    close(listener.fd);
    this.#handlers.unlink(listener.path);
  }

  closeAll(): void {
    for (const name of [...this.#listeners.keys()]) this.close(name);
  }
}
