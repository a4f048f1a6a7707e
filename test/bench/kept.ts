/**
 * Eight workers behind 200 connections that Apache keeps open to the socket. An idle connection must not occupy a worker:
 * with php-fpm it does, so requests on the 192 other connections hang. guise is asked 200 at once, then one by one.
 */

import { cpuMs, difference, guiseDaemon, total } from './accounts.js';
import { kept as keepConnections, startPeerApache, toSocket } from './apache.js';
import { askAtOnce } from './at-once.js';
import { guiseWith, identified, type Lane, socketOf } from './guise-peers.js';
import { inLab, say } from './lab.js';
import { generate, type Measured } from './load.js';
import type { Options } from './options.js';
import { siteName } from './peer.js';

export interface KeptResult {
  readonly kind: 'kept';
  readonly connections: number;
  /** Connections that the router held when all were open. */
  readonly open: number;
  /** 200 at once, and then one at a time over the connections that stayed. */
  readonly crowd?: Measured;
  readonly alone?: Measured;
  readonly idleCpuMs?: number;
  readonly failures: readonly string[];
}

const lane: Omit<Lane, 'id'> = { mode: 'pool', socket: 'own', dispatch: 'router', reuse: true };
const connections = 200;

export async function kept(options: Options): Promise<KeptResult> {
  return inLab(async (lab) => {
    const directory = lab.place('kept');
    const guise = await guiseWith(lab, directory, lane, [`queue_length=${connections}`]);
    const socket = socketOf(guise, lane);
    const apache = await startPeerApache(lab, directory, {
      mpm: 'event',
      modules: ['proxy', 'proxy_fcgi'],
      before: keepConnections(socket, connections),
      inside: `${toSocket(socket)}\n${identified(guise)}`,
      root: lab.root,
    });
    const load = { port: apache.port, host: siteName, seconds: options.seconds, client: 'kept' } as const;
    const accounts = [guiseDaemon(guise.pid, guise.routerUser.uid)];
    try {
      say(`${connections} connections, slow pages so that all of them are open at once`);
      const address = { port: apache.port, host: siteName };
      await askAtOnce(address, '/sleep.php', connections, 1);
      const crowd = await askAtOnce(address, '/empty.php', connections, 20);
      const open = await guise.routerConnections();
      const before = cpuMs(accounts);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const idleCpuMs = total(difference(cpuMs(accounts), before));
      const alone = await generate({ ...load, path: '/empty.php', connections: 1 }, lab.directory);
      return { kind: 'kept', connections, open, crowd, alone, idleCpuMs, failures: [] };
    } catch (thrown) {
      say(`FAILED: ${String(thrown)}`);
      return { kind: 'kept', connections, open: 0, failures: [String(thrown)] };
    }
  });
}
