/**
 * php-fpm as it is usually set up on Debian for several tenants: one master, a pool and a socket for each user, every
 * other setting Debian's default. It runs from a directory of its own; the system's service is neither asked nor
 * touched. The binary is unpacked by bin/setup, not installed.
 */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type Service, startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import type { Site } from '../harness/guise.js';
import { readText } from '../harness/log.js';
import { peers } from '../harness/peer.js';
import type { World } from '../harness/world.js';

/** Debian's own php.ini for php-fpm is a copy of this file, and its extensions are those of php-cgi. */
const iniFile = '/usr/lib/php/8.2/php.ini-production';
const iniDirectory = '/etc/php/8.2/cgi/conf.d';

/** For env(1): php-fpm with Debian's settings and this configuration. */
export function phpFpmCommand(configuration: string): string[] {
  const libraries = readdirSync(`${peers}/usr/lib`).find((name) => name.endsWith('-linux-gnu')) ?? '';
  return [
    `LD_LIBRARY_PATH=${peers}/usr/lib/${libraries}`,
    `PHP_INI_SCAN_DIR=${iniDirectory}`,
    `${peers}/usr/sbin/php-fpm8.2`,
    ...['-y', configuration, '-c', iniFile, '-F'],
  ];
}

export interface PhpFpm extends Service {
  /** Where a pool listens, as a path or as host:port. */
  listen(site: Site): string;
  /** php-fpm's own log. */
  log(): string;
}

export interface PoolOptions {
  /** Further lines of a pool. */
  readonly lines?: (site: Site, directory: string) => string;
  /** Instead of a socket for www-data: `127.0.0.1:9000`. */
  readonly listen?: (site: Site) => string;
}

export async function startPhpFpm(
  world: World,
  sites: readonly Site[],
  options: PoolOptions = {},
): Promise<PhpFpm> {
  const directory = `${world.directory}/fpm`;
  mkdirSync(directory, { mode: 0o755 });
  const listen = options.listen ?? ((site: Site): string => `${directory}/${site.name}.sock`);
  const file = `${directory}/php-fpm.conf`;
  const pools = sites.map((site) => pool(site, listen(site), options.lines?.(site, directory) ?? ''));
  writeFileSync(file, `[global]\nerror_log = ${directory}/php-fpm.log\n${pools.join('\n')}`);
  const service = startService('/usr/bin/env', phpFpmCommand(file), `${directory}/output.log`);
  const log = (): string => `${readText(`${directory}/output.log`)}${readText(`${directory}/php-fpm.log`)}`;
  world.undo.push('stop php-fpm', () => service.stop());
  world.servers.push(service);
  await until('php-fpm to be ready', () => {
    if (service.exit() !== undefined) throw new Error(`php-fpm ended at once: ${log()}`);
    return log().includes('ready to handle connections') && sockets(sites.map(listen)).every(existsSync);
  });
  return { ...service, listen, log };
}

const sockets = (addresses: readonly string[]): string[] => addresses.filter((one) => one.startsWith('/'));

/** The keys that Debian's www.conf sets, with its values. */
function pool(site: Site, listen: string, more: string): string {
  return `[${site.name}]
user = ${site.user.name}
group = ${site.user.name}
listen = ${listen}
listen.owner = www-data
listen.group = www-data
pm = dynamic
pm.max_children = 5
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 3
${more}
`;
}
