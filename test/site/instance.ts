/** A configuration in a directory of its own, with users that every Debian has. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Config, readConfig } from '../../src/config/config.js';

export interface Instance {
  readonly directory: string;
  readonly configFile: string;
  /** A document root that exists. */
  readonly root: string;
  readonly config: () => Config;
  /** Writes sites.d/FILE and answers with its path. */
  readonly site: (file: string, text: string, mode?: number) => string;
}

/** System users stand in for tenants, so the floors are low; the floors themselves have their own test. */
export const lowFloors = '[limits]\nmin_uid = 1\nmin_gid = 1\n';
export const routerTable = '[router]\nuser = "daemon"\n';
export const key = 'ab'.repeat(32);
export const otherKey = 'cd'.repeat(32);

export function makeInstance(t: Test, toml = ''): Instance {
  const directory = mkdtempSync('/tmp/guise-');
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const configFile = join(directory, 'guise.toml');
  const paths = '[paths]\nrun = "run"\nstate = "state"\nlog = "log"\nsites = "sites.d"\n';
  writeFileSync(configFile, `${paths}${routerTable}${lowFloors}${toml}`, { mode: 0o640 });
  mkdirSync(join(directory, 'sites.d'), { mode: 0o755 });
  const root = join(directory, 'www');
  mkdirSync(root, { mode: 0o755 });
  return {
    directory,
    configFile,
    root,
    config: () => readConfig(configFile),
    site: (file, text, mode = 0o600) => {
      const path = join(directory, 'sites.d', file);
      writeFileSync(path, text, { mode });
      return path;
    },
  };
}

/** The file of a good site, and more lines if wanted. */
export function siteText(instance: Instance, name: string, more = '', siteKey = key): string {
  return `name = "${name}"\nroot = "${instance.root}"\nuser = "games"\nkey = "${siteKey}"\n${more}`;
}
