/**
 * Eight workers behind 200 connections that Apache keeps open to the socket. An idle connection must not occupy a worker:
 * with php-fpm it does, so requests on the 192 other connections hang. guise is asked 200 at once, then one by one, in both lanes.
 */

import { readFileSync } from 'node:fs';
import { cpuMs, difference, guiseDaemon, total } from './accounts.js';
import { kept as keepConnections, startPeerApache, toSocket } from './apache.js';
import { askAtOnce } from './at-once.js';
import { guiseWith, identified, type Lane, socketOf } from './guise-peers.js';
import { inLab, type Lab, say } from './lab.js';
import { generate, type Measured } from './load.js';
import type { Options } from './options.js';
import { siteName } from './peer.js';

export interface KeptLane {
  readonly dispatch: Lane['dispatch'];
  /** Connections to the site's socket when all had been opened. */
  readonly open: number;
  /** 200 at once, and then one at a time over the connections that stayed. */
  readonly crowd: Measured;
  readonly alone: Measured;
  readonly idleCpuMs: number;
}

export interface KeptResult {
  readonly kind: 'kept';
  readonly connections: number;
  readonly lanes: readonly KeptLane[];
  readonly failures: readonly string[];
}

const connections = 200;

export async function kept(options: Options): Promise<KeptResult> {
  return inLab(async (lab) => {
    const lanes: KeptLane[] = [];
    const failures: string[] = [];
    for (const dispatch of ['router', 'direct'] as const) {
      try {
        lanes.push(await keptBy(lab, dispatch, options.seconds));
      } catch (thrown) {
        failures.push(`${dispatch}: ${String(thrown)}`);
        say(`FAILED: ${failures.at(-1)}`);
      }
    }
    return { kind: 'kept', connections, lanes, failures };
  });
}

async function keptBy(lab: Lab, dispatch: Lane['dispatch'], seconds: number): Promise<KeptLane> {
  const directory = lab.place(`kept-${dispatch}`);
  const lane = { mode: 'pool', socket: 'own', dispatch, reuse: true } as const;
  const guise = await guiseWith(lab, directory, lane, [`queue_length=${connections}`]);
  const socket = socketOf(guise, lane);
  const apache = await startPeerApache(lab, directory, {
    mpm: 'event',
    modules: ['proxy', 'proxy_fcgi'],
    before: keepConnections(socket, connections),
    inside: `${toSocket(socket)}\n${identified(guise)}`,
    root: lab.root,
  });
  const load = { port: apache.port, host: siteName, seconds, client: 'kept' } as const;
  const accounts = [guiseDaemon(guise.pid, guise.routerUser.uid)];
  say(`${dispatch}: ${connections} connections, slow pages so that all of them are open at once`);
  const address = { port: apache.port, host: siteName };
  await askAtOnce(address, '/sleep.php', connections, 1);
  const crowd = await askAtOnce(address, '/empty.php', connections, 20);
  const open = connectedTo(socket);
  const before = cpuMs(accounts);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const idleCpuMs = total(difference(cpuMs(accounts), before));
  const alone = await generate({ ...load, path: '/empty.php', connections: 1 }, lab.directory);
  return { dispatch, open, crowd, alone, idleCpuMs };
}

/** Connections to a Unix socket, without the one that listens: proc_net_unix(5). */
function connectedTo(socket: string): number {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.filter((line) => line.endsWith(` ${socket}`) && line.split(/\s+/)[5] === '03').length;
}
