/** Which lane a site gets, and with what. */

import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { UserEntry } from '../os/identity.js';
import type { Poller } from '../os/poller.js';
import { connectionsAt } from '../os/unix-sockets.js';
import { DirectLane } from './direct-lane.js';
import type { Lane, LaneOwner, LaneRouter } from './lane.js';
import { ProgramLane } from './program-lane.js';
import { RoutedLane } from './routed-lane.js';

export interface LaneSetup {
  readonly config: Config;
  readonly poller: Poller;
  readonly log: Logger;
  readonly webUsers: readonly UserEntry[];
  /** A site's own socket, or -1. */
  readonly listenerOf: (name: string) => number;
  /** What the kernel calls it. */
  readonly boundNameOf: (name: string) => string;
  readonly router: () => LaneRouter | undefined;
}

export function laneMaker(setup: LaneSetup): (owner: LaneOwner) => Lane {
  const { config, poller, log, webUsers, listenerOf, boundNameOf } = setup;
  return (owner) => {
    const { id, site } = owner;
    const listener = listenerOf(site.name);
    switch (site.dispatch) {
      case 'router':
        return new RoutedLane(id, site, setup.router);
      case 'direct': {
        const webUids = webUsers.map((user) => user.uid);
        const { readTimeoutMs } = config.router;
        const { router } = setup;
        return new DirectLane(
          { id, site, listener, webUids, readTimeoutMs, poller, log, router },
          owner.asLaneSite(),
        );
      }
      case 'program': {
        const boundAt = boundNameOf(site.name);
        const connections = () => connectionsAt(boundAt);
        const nowMs = () => performance.now();
        return new ProgramLane({ site, listener, connections, poller, log, nowMs }, owner.asLaneSite());
      }
    }
  };
}
