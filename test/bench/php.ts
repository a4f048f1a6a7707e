/** PHP as the peers run it: php-fpm with pools of several kinds, and php-cgi. All with the same php.ini. */

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Service, startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { peers } from '../harness/peer.js';
import type { Lab } from './lab.js';
import { processes } from './peer.js';
import { libraries, php, unpacked } from './places.js';

/** A directory with php.ini: that of Debian's php-cgi, but sessions of its own. guise gives each site such a directory. */
export function phpIni(directory: string): string {
  const sessions = `${directory}/sessions`;
  mkdirSync(sessions, { mode: 0o1733 });
  chmodSync(sessions, 0o1733);
  const text = readFileSync(php.ini, 'utf8');
  writeFileSync(`${directory}/php.ini`, `${text}\nsession.save_path = ${sessions}\n`);
  return directory;
}

export interface Pool {
  readonly name: string;
  readonly socket: string;
  /** Lines about its processes. */
  readonly pm: string;
  /** Another user than the lab's. */
  readonly user?: string;
}

export const pm = {
  static: `pm = static\npm.max_children = ${processes}`,
  ondemand: `pm = ondemand\npm.max_children = ${processes}\npm.process_idle_timeout = 60s`,
  fresh: `pm = static\npm.max_children = ${processes}\npm.max_requests = 1`,
};

export interface Fpm extends Service {
  /** Writes its configuration anew; it takes effect with SIGUSR2. */
  configure(pools: readonly Pool[]): void;
}

/** Starts php-fpm and waits until the last pool's socket is there. */
export async function startFpm(
  lab: Lab,
  directory: string,
  pools: readonly Pool[],
  deadlineMs = 60_000,
): Promise<Fpm> {
  const file = `${directory}/php-fpm.conf`;
  const log = `${directory}/php-fpm.log`;
  const configure = (wanted: readonly Pool[]): void =>
    writeFileSync(
      file,
      `[global]\nerror_log = ${log}\npid = ${directory}/fpm.pid\nlog_level = notice\n${wanted.map((pool) => section(lab, pool)).join('')}`,
    );
  configure(pools);
  const env = [`LD_LIBRARY_PATH=${libraries()}`, `PHP_INI_SCAN_DIR=${php.scan}`];
  const args = ['-y', file, '-c', `${phpIni(directory)}/php.ini`, '-F'];
  const service = startService('/usr/bin/env', [...env, `${peers}/usr/sbin/php-fpm8.2`, ...args], log);
  lab.undo.push('stop php-fpm', () => service.stop());
  await until(
    'php-fpm to be ready',
    () => {
      const words = existsSync(log) ? readFileSync(log, 'utf8') : '';
      if (service.exit() !== undefined) throw new Error(`php-fpm ended at once: ${words.slice(-2000)}`);
      return words.includes('ready to handle connections');
    },
    deadlineMs,
  );
  return { ...service, configure };
}

function section(lab: Lab, pool: Pool): string {
  return `[${pool.name}]
user = ${pool.user ?? lab.user.name}
group = ${pool.user ?? lab.user.name}
listen = ${pool.socket}
listen.owner = www-data
listen.group = www-data
listen.mode = 0660
${pool.pm}
`;
}

/** php-cgi with its own children, started by spawn-fcgi. */
export async function spawnPhpCgi(lab: Lab, directory: string, socket: string): Promise<Service> {
  const env = [
    `PHPRC=${phpIni(directory)}`,
    `PHP_FCGI_CHILDREN=${processes}`,
    'PHP_FCGI_MAX_REQUESTS=0',
    `${unpacked}/usr/bin/spawn-fcgi`,
  ];
  const who = ['-u', lab.user.name, '-g', lab.user.name, '-U', 'www-data', '-G', 'www-data'];
  const args = ['-n', '-s', socket, '-M', '0660', '-b', '511', ...who, '--', '/usr/bin/php-cgi'];
  const service = startService('/usr/bin/env', [...env, ...args], `${directory}/php-cgi.log`);
  lab.undo.push('stop php-cgi', () => service.stop());
  await until('php-cgi to listen', () => {
    if (service.exit() !== undefined) {
      throw new Error(`php-cgi ended at once: ${readFileSync(`${directory}/php-cgi.log`, 'utf8')}`);
    }
    return existsSync(socket);
  });
  return service;
}
