/**
 * Lets idle workers go: after their site's idle timeout, or at once for sites that wait because the machine has no room.
 * A site without idle workers has no timer, and is not looked at.
 */

import type { Dispatcher } from './dispatch.js';
import type { RoutedSite } from './routed-site.js';

export interface IdleHandlers {
  /** So many are about to end; `isAll`: there were no more. */
  gaveUp(count: number, isAll: boolean): void;
}

export class IdleWorkers {
  readonly #dispatcher: Dispatcher;
  readonly #handlers: IdleHandlers;
  /** Those that may have idle workers. */
  readonly #sites = new Set<RoutedSite>();
  /** For so many workers others wait: those that become idle go too. */
  #shortage = 0;

  constructor(dispatcher: Dispatcher, handlers: IdleHandlers) {
    this.#dispatcher = dispatcher;
    this.#handlers = handlers;
  }

  /** The site's pool, or the site itself, has changed. */
  watch(site: RoutedSite): void {
    const { idleSinceMs } = site.pool;
    if (site.isClosing) {
      this.forget(site);
      this.#retire(site, Number.POSITIVE_INFINITY);
      return;
    }
    if (idleSinceMs === undefined) return;
    this.#sites.add(site);
    if (this.#shortage > 0) this.#giveUp(Number.POSITIVE_INFINITY, false);
    if (site.pool.idleCount > 0) this.#wait(site, idleSinceMs);
  }

  /** The site has no workers any more that anybody waits for. */
  forget(site: RoutedSite): void {
    clearTimeout(site.idleTimer);
    site.idleTimer = undefined;
    this.#sites.delete(site);
  }

  /**
   * Others wait for so many workers; 0: nobody waits any more. Those that have been idle longest go first, whoever has
   * them.
   *
   * @param leastIdleMs others than these are not to go, and more are not waited for; 0: any, also those that come
   */
  give(count: number, leastIdleMs: number): void {
    this.#dispatcher.isShort = count > 0;
    // Most ends of requests are found only by looking.
    if (count > 0) this.#dispatcher.wantAllNotes();
    if (this.#shortage > 0 && count === 0) this.#dispatcher.keepAll();
    this.#shortage = count;
    if (count === 0) return;
    this.#giveUp(performance.now() - leastIdleMs, true);
    if (leastIdleMs > 0) this.#shortage = 0;
  }

  #giveUp(beforeMs: number, isAsked: boolean): void {
    let count = 0;
    for (let site = this.#longest(); this.#shortage > 0 && site !== undefined; site = this.#longest()) {
      if ((site.pool.idleSinceMs ?? 0) > beforeMs) break;
      const worker = site.pool.giveUpIdle();
      if (worker === undefined) break;
      this.#dispatcher.retire(worker);
      this.#shortage--;
      count++;
    }
    if (count > 0 || isAsked) this.#handlers.gaveUp(count, this.#shortage > 0);
  }

  /** The site whose worker has been idle longest. */
  #longest(): RoutedSite | undefined {
    let found: RoutedSite | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const site of this.#sites) {
      const { idleSinceMs } = site.pool;
      if (idleSinceMs === undefined) this.#sites.delete(site);
      else if (idleSinceMs < sinceMs) [found, sinceMs] = [site, idleSinceMs];
    }
    return found;
  }

  #wait(site: RoutedSite, idleSinceMs: number): void {
    if (site.idleTimer !== undefined) return;
    const pauseMs = Math.max(0, idleSinceMs + site.config.idleTimeoutMs - performance.now());
    site.idleTimer = setTimeout(() => {
      site.idleTimer = undefined;
      this.#retire(site, performance.now() - site.config.idleTimeoutMs);
      this.watch(site);
    }, pauseMs + 1);
  }

  #retire(site: RoutedSite, beforeMs: number): void {
    for (const worker of site.pool.retireIdle(beforeMs)) this.#dispatcher.retire(worker);
  }
}
