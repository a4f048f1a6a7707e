/** Two tenants on one server, each under a user of its own: `quiet.test` and `loud.test`. */

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { Guise } from '../harness/guise.js';
import type { TestUser } from '../harness/users.js';
import { type Lab, scripts } from './lab.js';
import { processes } from './peer.js';
import { pm, startFpm } from './php.js';

export interface Tenants {
  readonly names: readonly string[];
  /** Above all document roots. */
  readonly base: string;
  readonly guise?: Guise;
  root(name: string): string;
  socket(name: string): string;
}

const names = ['quiet.test', 'loud.test'] as const;

async function settle(lab: Lab, directory: string) {
  const base = `${directory}/tenants`;
  const users = new Map<string, TestUser>();
  const root = (name: string): string => `${base}/${name}`;
  for (const name of names) {
    const user = await lab.users.get(name.replace('.test', ''));
    users.set(name, user);
    mkdirSync(root(name), { recursive: true, mode: 0o755 });
    for (const [file, text] of Object.entries(scripts)) {
      writeFileSync(`${root(name)}/${file}`, text);
      chownSync(`${root(name)}/${file}`, user.uid, user.gid);
    }
    chownSync(root(name), user.uid, user.gid);
  }
  return { base, root, users };
}

export async function tenantsOfFpm(lab: Lab, directory: string): Promise<Tenants> {
  const { base, root, users } = await settle(lab, directory);
  const socket = (name: string): string => `${directory}/${name}.sock`;
  const pools = names.map((name) => ({
    name,
    socket: socket(name),
    pm: pm.static,
    user: users.get(name)?.name ?? '',
  }));
  await startFpm(lab, directory, pools);
  return { names, base, root, socket };
}

export async function tenantsOfGuise(
  lab: Lab,
  directory: string,
  dispatch: 'router' | 'direct',
): Promise<Tenants> {
  const { base, root, users } = await settle(lab, directory);
  const guise = await Guise.layOut(`${directory}/guise`, lab.users, lab.undo, {});
  const own = dispatch === 'direct';
  for (const name of names) {
    const who = ['--user', users.get(name)?.name ?? '', '--root', root(name)];
    const how = [
      '--max-workers',
      String(processes),
      '--set',
      `dispatch=${dispatch}`,
      `socket=${own ? 'own' : 'shared'}`,
    ];
    await guise.says('site', 'add', name, ...who, ...how);
  }
  await guise.start();
  const socket = (name: string): string => (own ? `${guise.instance.run}/sites/${name}.sock` : guise.socket);
  return { names, base, guise, root, socket };
}
