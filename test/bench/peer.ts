/** What every peer has: how it is named, how it is started, and where it is reached then. */

import type { Accounted } from './accounts.js';
import type { Lab } from './lab.js';

export interface Running {
  readonly port: number;
  /** Everything that works for a request, the web server included. */
  readonly accounts: readonly Accounted[];
}

export interface Peer {
  readonly id: string;
  readonly start: (lab: Lab, directory: string) => Promise<Running>;
}

/** The name of the one site, in every peer. */
export const siteName = 'bench.test';
/** Processes that may run PHP at once, in every peer. */
export const processes = 8;
