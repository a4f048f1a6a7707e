/** Who is told of what happens to requests and workers. */

import type { Ending } from './ending.js';
import type { Exchange } from './exchange.js';
import type { RoutedSite } from './routed-site.js';

export interface DispatchHandlers {
  ended(exchange: Exchange, ending: Ending): void;
  /** Asks the master for workers, of which somebody waits for `needed`; 0: none is waited for any more. */
  demand(site: RoutedSite, count: number, needed: number): void;
  /** A worker that was asked about has no request. */
  free(site: RoutedSite, worker: number): void;
  /** Asks the master to kill a worker. */
  kill(site: RoutedSite, worker: number): void;
  /** A site's pool has changed: it may have become quiet, or have idle workers. */
  changed(site: RoutedSite): void;
}
