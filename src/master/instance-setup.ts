/** What an instance is made from. */

import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { UserEntry } from '../os/identity.js';
import type { Poller } from '../os/poller.js';
import type { SharedListeners } from './listeners.js';
import type { LogFile } from './log-file.js';

export interface InstanceSetup {
  readonly config: Config;
  readonly poller: Poller;
  readonly log: Logger;
  readonly logFile: LogFile;
  /** Whom the router runs as. */
  readonly user: UserEntry;
  readonly webUsers: readonly UserEntry[];
  /** The preload library that site users can read. */
  readonly library: string;
  /** The FastCGI sockets that all sites share. */
  readonly listeners: SharedListeners;
}
