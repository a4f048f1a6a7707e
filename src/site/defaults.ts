/**
 * What holds where neither the site nor [defaults] says anything, and how the three layers come together.
 * The values are meant for a server full of sites that nobody has looked at.
 */

import { totalmem } from 'node:os';
import { isolationDefaults } from './isolation.js';
import { processDefaults } from './processes.js';
import { recordingDefaults } from './recording.js';
import type { SiteDefaults, SiteFile } from './schema.js';

/** Every shared key has a value here, except the tables, which are empty. */
export const builtInDefaults = {
  mode: 'pool',
  socket: 'shared',
  dispatch: 'router',
  php: '/usr/bin/php-cgi',
  key_required: true,
  max_workers: 8,
  max_requests: 1000,
  max_memory: 256 * 1024 ** 2,
  max_age: 0,
  // With the pauses between them some two minutes.
  quarantine_after: 10,
  weight: 1,
  spare: 1,
  // Long enough for an update of an application, short enough that a runaway script is noticed.
  time_limit: 120_000,
  idle_timeout: 60_000,
  queue_length: 100,
  queue_timeout: 30_000,
  max_body: 256 * 1024 ** 2,
  suffixes: ['.php'],
  trusted_owners: [],
  umask: '022',
  env: {},
  php_ini: { set: {}, lock: {} },
  // A core file would hold what visitors sent and would lie in the document root.
  limits: { core: 0, nproc: defaultProcesses() },
  ...isolationDefaults,
  ...recordingDefaults,
  ...processDefaults,
} satisfies SiteDefaults;

/**
 * Enough for every site of one user, little enough that a fork bomb ends at it: one process for every 8 MiB of memory,
 * between 512 and 4096. The default of
 * [limits] max_workers is about an eighth of that.
 */
function defaultProcesses(): number {
  return Math.min(4096, Math.max(512, Math.floor(totalmem() / (8 * 1024 ** 2))));
}

export type LayeredSite = Required<Omit<SiteDefaults, 'php_ini'>> & {
  readonly php_ini: Readonly<Record<'set' | 'lock', Readonly<Record<string, string>>>>;
} & Pick<
    SiteFile,
    'name' | 'root' | 'user' | 'aliases' | 'enabled' | 'command' | 'key' | 'old_keys' | 'visitors'
  >;

type Base = Omit<LayeredSite, 'name' | 'root' | 'user'>;

/** [defaults] over what is built in: once, however many sites there are. */
const bases = new WeakMap<SiteDefaults, Base>();

/**
 * The site's own word first, then [defaults], then what is built in; tables are merged key by key. A table of which
 * the site says nothing is the same object for all such sites.
 */
export function layer(site: SiteFile, defaults: SiteDefaults): LayeredSite {
  const base = bases.get(defaults) ?? makeBase(defaults);
  const { env, limits, php_ini } = site;
  // No literal with spreads: of those the engine makes thousands where it keeps what lives for long.
  return Object.assign({}, base, site, {
    env: env === undefined ? base.env : { ...base.env, ...env },
    limits: limits === undefined ? base.limits : { ...base.limits, ...limits },
    php_ini:
      php_ini === undefined
        ? base.php_ini
        : {
            set: { ...base.php_ini.set, ...php_ini.set },
            lock: { ...base.php_ini.lock, ...php_ini.lock },
          },
  });
}

function makeBase(defaults: SiteDefaults): Base {
  const base: Base = {
    ...builtInDefaults,
    ...defaults,
    env: { ...defaults.env },
    limits: { ...builtInDefaults.limits, ...defaults.limits },
    php_ini: { set: { ...defaults.php_ini?.set }, lock: { ...defaults.php_ini?.lock } },
  };
  bases.set(defaults, base);
  return base;
}
