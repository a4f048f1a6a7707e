/** Lets idle workers of a site go after its idle timeout. A site without idle workers has no timer. */

import type { Dispatcher } from './dispatch.js';
import type { RoutedSite } from './routed-site.js';

export function watchIdle(site: RoutedSite, dispatcher: Dispatcher): void {
  const { idleSinceMs } = site.pool;
  if (site.isClosing) {
    forgetIdle(site);
    retire(site, dispatcher, Number.POSITIVE_INFINITY);
    return;
  }
  if (idleSinceMs === undefined || site.idleTimer !== undefined) return;
  const pauseMs = Math.max(0, idleSinceMs + site.config.idleTimeoutMs - performance.now());
  site.idleTimer = setTimeout(() => {
    site.idleTimer = undefined;
    retire(site, dispatcher, performance.now() - site.config.idleTimeoutMs);
    watchIdle(site, dispatcher);
  }, pauseMs + 1);
}

/** The site has no workers any more that anybody waits for. */
export function forgetIdle(site: RoutedSite): void {
  clearTimeout(site.idleTimer);
  site.idleTimer = undefined;
}

function retire(site: RoutedSite, dispatcher: Dispatcher, beforeMs: number): void {
  for (const worker of site.pool.retireIdle(beforeMs)) dispatcher.retire(worker);
}
