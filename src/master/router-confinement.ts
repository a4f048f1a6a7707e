/**
 * What the router may reach in the file system: to write its spool, and to read what Node needs for its start. It
 * reads what strangers send; should one of them come to run code in it, no site's file is within his reach, whatever
 * its mode says. Applied before the program starts, so that every thread of it is held.
 *
 * Privilege: root opens these paths. All of them are root's, but for the spool.
 */

import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../os/addon.js';
import { landlockSupport } from '../os/landlock.js';
import type { LandlockRules } from '../os/launch.js';

/** Programs, libraries and their configuration; /proc for the proof that there is no way back (os/identity.ts). */
const software = [
  '/usr',
  '/bin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/opt',
  '/etc',
  '/nix/store',
  '/proc',
];

/** @returns undefined where the kernel has no Landlock: then modes alone hold */
export function routerConfinement(spool?: string): LandlockRules | undefined {
  if (landlockSupport().abi === 0) return undefined;
  const code = fileURLToPath(new URL('..', import.meta.url));
  const root = packageRoot();
  const own = [code, `${root}/package.json`, `${root}/node_modules`, `${root}/native`];
  const bin = dirname(process.execPath);
  // Node's own files are beside its `bin`, unless that is the root directory's.
  const node = dirname(bin) === '/' ? bin : dirname(bin);
  return {
    read: [...software, node, ...own, '/sys/fs/cgroup'].flatMap(existing),
    write: spool === undefined ? [] : existing(spool),
    devices: ['/dev/null', '/dev/random', '/dev/urandom'].flatMap(existing),
  };
}

function existing(path: string): string[] {
  try {
    return [realpathSync.native(path)];
  } catch {
    return [];
  }
}
