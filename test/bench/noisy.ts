/** One tenant floods the server with slow requests; how long does another one wait for an empty page? */

import { startPeerApache, toSocket, virtualHost } from './apache.js';
import { identified } from './guise-peers.js';
import { inLab, type Lab, say } from './lab.js';
import { generate, type Load, type Measured } from './load.js';
import type { Options } from './options.js';
import { type Spread, spread } from './statistics.js';
import { type Tenants, tenantsOfFpm, tenantsOfGuise } from './tenants.js';

export interface Noisy {
  readonly server: string;
  /** What the other tenant does meanwhile: nothing, requests that sleep, requests that burn processor time. */
  readonly noise: 'none' | 'sleep' | 'spin';
  readonly p50: Spread;
  readonly p99: Spread;
  readonly perSecond: Spread;
}

export interface NoisyResult {
  readonly kind: 'noisy';
  readonly rows: readonly Noisy[];
  readonly failures: readonly string[];
}

const noises = ['none', 'sleep', 'spin'] as const;
const floodConnections = 32;

export async function noisy(options: Options): Promise<NoisyResult> {
  return inLab(async (lab) => {
    const servers: { name: string; port: number }[] = [];
    const failures: string[] = [];
    for (const [name, start] of tenantKinds) {
      try {
        servers.push({ name, port: await serve(lab, lab.place(`noisy-${lab.next()}`), start) });
      } catch (thrown) {
        failures.push(`${name} could not be set up: ${String(thrown)}`);
        say(`FAILED: ${failures.at(-1)}`);
      }
    }
    const measured = new Map<string, Measured[]>();
    for (const noise of noises) {
      for (let round = 0; round < options.rounds; round += 1) {
        say(`noise: ${noise}, round ${round + 1} of ${options.rounds}`);
        for (const { name, port } of servers) {
          try {
            const result = await victim(lab, port, noise, options.seconds);
            const key = `${name}/${noise}`;
            measured.set(key, [...(measured.get(key) ?? []), result]);
          } catch (thrown) {
            failures.push(`${name}, ${noise}: ${String(thrown)}`);
            say(`FAILED: ${failures.at(-1)}`);
          }
        }
      }
    }
    const rows = noises.flatMap((noise) =>
      servers.map(({ name }): Noisy => {
        const rounds = measured.get(`${name}/${noise}`) ?? [];
        const of = (value: (one: Measured) => number) => spread(rounds.map(value));
        return {
          server: name,
          noise,
          p50: of((m) => m.p50),
          p99: of((m) => m.p99),
          perSecond: of((m) => m.perSecond),
        };
      }),
    );
    return { kind: 'noisy', rows, failures };
  });
}

const tenantKinds: readonly (readonly [string, (lab: Lab, directory: string) => Promise<Tenants>])[] = [
  ['php-fpm, a pool for each', tenantsOfFpm],
  ['guise, routed, shared socket', (lab, directory) => tenantsOfGuise(lab, directory, 'router')],
  ['guise, direct', (lab, directory) => tenantsOfGuise(lab, directory, 'direct')],
];

/** An Apache with a virtual host for each tenant; answers with its port. */
async function serve(lab: Lab, directory: string, start: (lab: Lab, directory: string) => Promise<Tenants>) {
  const tenants = await start(lab, directory);
  const { guise } = tenants;
  const host = (port: number, name: string): string => {
    const key = guise === undefined ? '' : identified(guise, name);
    return virtualHost(port, name, tenants.root(name), `${toSocket(tenants.socket(name), name)}\n${key}`);
  };
  const apache = await startPeerApache(lab, directory, {
    mpm: 'event',
    modules: ['proxy', 'proxy_fcgi'],
    root: tenants.base,
    hosts: (port) => tenants.names.map((name) => host(port, name)).join('\n'),
  });
  return apache.port;
}

async function victim(lab: Lab, port: number, noise: Noisy['noise'], seconds: number): Promise<Measured> {
  const load: Omit<Load, 'host' | 'path' | 'connections'> = { port, seconds, client: 'kept' };
  const quiet = { ...load, host: 'quiet.test', path: '/empty.php', connections: 1 };
  if (noise === 'none') return generate(quiet, lab.directory);
  const flood = {
    ...load,
    host: 'loud.test',
    path: `/${noise}.php`,
    connections: floodConnections,
    seconds: seconds + 1,
  };
  const flooding = generate(flood, lab.directory);
  // The flood is on when the first of its requests would have been answered.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [result] = await Promise.all([generate(quiet, lab.directory), flooding]);
  return result;
}
