/** guise in each of its lanes: a daemon for each, with the one site, behind an Apache or nginx of its own. */

import { Guise } from '../harness/guise.js';
import { guiseDaemon, webServer } from './accounts.js';
import { kept, startPeerApache, toSocket } from './apache.js';
import type { Lab } from './lab.js';
import { startPeerNginx } from './nginx.js';
import { type Peer, processes, siteName } from './peer.js';

export interface Lane {
  readonly id: string;
  readonly mode: 'pool' | 'per-request';
  readonly socket: 'shared' | 'own';
  readonly dispatch: 'router' | 'direct';
  /** Apache keeps its connections to the socket. */
  readonly reuse?: boolean;
  readonly front?: 'nginx';
}

/** A daemon with its site in this lane, with more settings as KEY=VALUE. Its home is open to it, for DokuWiki's data. */
export async function guiseWith(
  lab: Lab,
  directory: string,
  lane: Omit<Lane, 'id'>,
  more: readonly string[] = [],
): Promise<Guise> {
  const guise = await Guise.layOut(`${directory}/guise`, lab.users, lab.undo, {});
  const settings = [
    `socket=${lane.socket}`,
    `dispatch=${lane.dispatch}`,
    `writable=["${lab.root.replace(/\/www$/, '')}"]`,
    // php-fpm's default: no worker is replaced after a number of requests.
    'max_requests=0',
    ...more,
  ];
  const workers = ['--mode', lane.mode, '--max-workers', String(processes)];
  const args = ['--user', lab.user.name, '--root', lab.root, ...workers, '--set', ...settings];
  await guise.says('site', 'add', siteName, ...args);
  await guise.start();
  return guise;
}

export function socketOf(guise: Guise, lane: Omit<Lane, 'id'>): string {
  return lane.socket === 'own' ? `${guise.instance.run}/sites/${siteName}.sock` : guise.socket;
}

/** What tells guise which site it is, beside what every FastCGI server is told. */
export function identified(guise: Guise, name = siteName): string {
  return `ProxyFCGISetEnvIf "true" GUISE_SITE "${name}"
ProxyFCGISetEnvIf "true" GUISE_KEY "${guise.keyOf(name) ?? ''}"`;
}

function lanePeer(lane: Lane): Peer {
  return {
    id: lane.id,
    start: async (lab, directory) => {
      const guise = await guiseWith(lab, directory, lane);
      const socket = socketOf(guise, lane);
      const accounts = [guiseDaemon(guise.pid, guise.routerUser.uid)];
      if (lane.front === 'nginx') {
        const key = { GUISE_SITE: siteName, GUISE_KEY: guise.keyOf(siteName) ?? '' };
        const nginx = await startPeerNginx(lab, directory, socket, key);
        return { port: nginx.port, accounts: [webServer(nginx.pid), ...accounts] };
      }
      const apache = await startPeerApache(lab, directory, {
        mpm: 'event',
        modules: ['proxy', 'proxy_fcgi'],
        before: lane.reuse === true ? kept(socket) : '',
        inside: `${toSocket(socket)}\n${identified(guise)}`,
        root: lab.root,
      });
      return { port: apache.port, accounts: [webServer(apache.pid), ...accounts] };
    },
  };
}

export const lanes: readonly Lane[] = [
  { id: 'guise-shared', mode: 'pool', socket: 'shared', dispatch: 'router' },
  { id: 'guise-own', mode: 'pool', socket: 'own', dispatch: 'router' },
  { id: 'guise-reuse', mode: 'pool', socket: 'own', dispatch: 'router', reuse: true },
  { id: 'guise-direct', mode: 'pool', socket: 'own', dispatch: 'direct' },
  { id: 'guise-direct-reuse', mode: 'pool', socket: 'own', dispatch: 'direct', reuse: true },
  { id: 'guise-fresh', mode: 'per-request', socket: 'shared', dispatch: 'router' },
  { id: 'guise-fresh-direct', mode: 'per-request', socket: 'own', dispatch: 'direct' },
  { id: 'guise-nginx', mode: 'pool', socket: 'shared', dispatch: 'router', front: 'nginx' },
];

export const guisePeers: readonly Peer[] = lanes.map(lanePeer);
