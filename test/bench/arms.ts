/**
 * What is compared: a peer, how its clients behave, and which other arm its ratio is taken to. Servers that start
 * a process for each request are measured with a connection for each request: mpm-itk runs a whole connection in one process.
 */

import { apachePeers } from './apache-peers.js';
import { guisePeers } from './guise-peers.js';
import { nginxFpm } from './nginx.js';
import type { Peer } from './peer.js';

export interface Arm {
  readonly id: string;
  readonly label: string;
  readonly peer: string;
  readonly client: 'kept' | 'closed';
  /** The arm that its ratio is taken to. */
  readonly against: string;
  readonly quick?: boolean;
}

const kept = (peer: string, label: string, more: Partial<Arm> = {}): Arm => ({
  ...{ id: peer, label, peer, client: 'kept', against: 'fpm-static' },
  ...more,
});
const closed = (peer: string, label: string, more: Partial<Arm> = {}): Arm => ({
  ...{ id: peer, label, peer, client: 'closed', against: 'mpm-itk' },
  ...more,
});

export const arms: readonly Arm[] = [
  kept('fpm-static', 'event + php-fpm, static', { quick: true }),
  kept('guise-shared', 'guise pool, routed, shared socket', { quick: true }),
  kept('guise-own', 'guise pool, routed, own socket', { quick: true }),
  kept('guise-direct', 'guise pool, direct', { quick: true }),
  kept('fpm-reuse', 'event + php-fpm, kept connections', { quick: true }),
  kept('guise-reuse', 'guise pool, routed, own socket, kept connections', {
    against: 'fpm-reuse',
    quick: true,
  }),
  kept('guise-direct-reuse', 'guise pool, direct, kept connections', { quick: true }),
  closed('mpm-itk', 'mpm-itk + mod_php', { quick: true }),
  closed('guise-fresh', 'guise per request, routed', { quick: true }),
  closed('guise-fresh-direct', 'guise per request, direct', { quick: true }),
  closed('guise-shared', 'guise pool, routed, shared socket', { id: 'guise-shared-closed', quick: true }),
  closed('fpm-static', 'event + php-fpm, static', { id: 'fpm-static-closed' }),
  closed('fpm-fresh', 'event + php-fpm, max_requests = 1'),
  kept('fpm-ondemand', 'event + php-fpm, ondemand'),
  kept('nginx-fpm', 'nginx + php-fpm, static'),
  kept('guise-nginx', 'guise pool, routed, behind nginx', { against: 'nginx-fpm' }),
  kept('prefork', 'prefork + mod_php, all of it as the one user'),
  kept('mod-fcgid', 'event + mod_fcgid + suexec'),
  kept('spawn-fcgi', 'event + php-cgi by spawn-fcgi'),
  closed('suexec', 'event + suexec + php-cgi'),
];

const peers: readonly Peer[] = [...apachePeers, nginxFpm, ...guisePeers];

export function peerNamed(id: string): Peer {
  const found = peers.find((peer) => peer.id === id);
  if (found === undefined) throw new Error(`there is no peer ${id}`);
  return found;
}

export function armNamed(id: string): Arm {
  const found = arms.find((arm) => arm.id === id);
  if (found === undefined)
    throw new Error(`there is no arm ${id}; there are ${arms.map((arm) => arm.id).join(', ')}`);
  return found;
}
