/**
 * A private Apache: Debian's binary and modules, but a directory, configuration, ports and logs of its own.
 * The system's Apache, if there is one, is neither asked nor touched.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { GuiseError } from '../error.js';
import { type Service, startService } from './command.js';
import { until } from './until.js';

export interface ApacheSettings {
  /** Will hold everything; must exist. */
  readonly directory: string;
  readonly mpm: 'event' | 'worker' | 'prefork';
  /** Names without `mod_`, beside the basic ones. */
  readonly modules: readonly string[];
  /** Loopback ports to listen on. */
  readonly ports: readonly number[];
  /** Virtual hosts and whatever else follows the basic part. */
  readonly configuration: string;
}

export interface Apache extends Service {
  errorLog(): string;
}

const basicModules = ['authz_core', 'dir', 'mime', 'alias', 'env', 'setenvif', 'proxy', 'proxy_fcgi'];
const moduleDirectory = '/usr/lib/apache2/modules';

function basicPart(settings: ApacheSettings): string {
  const { directory, mpm, modules, ports } = settings;
  const names = [`mpm_${mpm}`, ...basicModules, ...modules];
  return [
    `ServerRoot ${directory}`,
    `DefaultRuntimeDir ${directory}`,
    `PidFile ${directory}/apache.pid`,
    `ErrorLog ${directory}/error.log`,
    `Mutex file:${directory} default`,
    ...[...new Set(names)].map((name) => `LoadModule ${name}_module ${moduleDirectory}/mod_${name}.so`),
    ...ports.map((port) => `Listen 127.0.0.1:${port}`),
    'User www-data',
    'Group www-data',
    'ServerName localhost',
    'TypesConfig /etc/mime.types',
    'DirectoryIndex index.php index.html',
    'StartServers 1',
    '<Directory />\n  Require all denied\n  AllowOverride None\n</Directory>',
  ].join('\n');
}

/** Starts Apache and waits until it answers on all its ports. Throws GuiseError SETUP_FAILED with the end of its log. */
export async function startApache(settings: ApacheSettings): Promise<Apache> {
  const { directory } = settings;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const file = `${directory}/apache.conf`;
  writeFileSync(file, `${basicPart(settings)}\n\n${settings.configuration}\n`);
  const words = (): string => `${read(`${directory}/output.log`)}${read(`${directory}/error.log`)}`;
  const service = startService(
    '/usr/sbin/apache2',
    ['-d', directory, '-f', file, '-DFOREGROUND'],
    `${directory}/output.log`,
  );
  try {
    await until('Apache to listen', async () => {
      if (service.exit() !== undefined) throw new GuiseError('SETUP_FAILED', 'Apache ended at once');
      return (await Promise.all(settings.ports.map(listens))).every(Boolean);
    });
  } catch (thrown) {
    await service.stop();
    throw new GuiseError('SETUP_FAILED', `Apache did not start (${file}):\n${words()}`, { file }, thrown);
  }
  return { ...service, errorLog: () => read(`${directory}/error.log`) };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whether something accepts connections on this loopback port. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
