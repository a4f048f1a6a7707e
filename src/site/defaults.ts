/**
 * What holds where neither the site nor [defaults] says anything, and how the three layers come together.
 * The values are meant for a server full of sites that nobody has looked at.
 */

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
  limits: { core: 0 },
  ...isolationDefaults,
  ...recordingDefaults,
  ...processDefaults,
} satisfies SiteDefaults;

export type LayeredSite = Required<SiteDefaults> &
  Pick<SiteFile, 'name' | 'root' | 'user' | 'aliases' | 'command' | 'key' | 'old_keys' | 'visitors'>;

/** The site's own word first, then [defaults], then what is built in; tables are merged key by key. */
export function layer(site: SiteFile, defaults: SiteDefaults): LayeredSite {
  return {
    ...builtInDefaults,
    ...defaults,
    ...site,
    env: { ...defaults.env, ...site.env },
    limits: { ...builtInDefaults.limits, ...defaults.limits, ...site.limits },
    php_ini: {
      set: { ...defaults.php_ini?.set, ...site.php_ini?.set },
      lock: { ...defaults.php_ini?.lock, ...site.php_ini?.lock },
    },
  };
}
