/**
 * A private Apache for each peer: the same settings for all, beside what makes the peer what it is. Modules may come
 * from unpacked packages; programs that have a fixed place, such as suexec, get it in a mount namespace of their own.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { listens } from '../../src/quickstart/apache.js';
import { type Service, startService } from '../../src/quickstart/command.js';
import { freePorts } from '../../src/quickstart/ports.js';
import { until } from '../../src/quickstart/until.js';
import type { Lab } from './lab.js';
import { processes, siteName } from './peer.js';
import { unpackedModules } from './places.js';

export interface ApachePeer {
  readonly mpm: 'event' | 'prefork';
  /** Modules beside the basic ones: a name without `mod_`, or [name, file] for an unpacked one. */
  readonly modules?: readonly (string | readonly [string, string])[];
  /** Lines before the virtual hosts. */
  readonly before?: string;
  /** Lines inside the one virtual host, unless `hosts` replaces it. */
  readonly inside?: string;
  readonly hosts?: (port: number) => string;
  readonly root: string;
  /** Whose processes they are; www-data unless said otherwise. */
  readonly user?: string;
  readonly env?: readonly string[];
  /** [what, where]: bind mounts that only this Apache sees. */
  readonly mounts?: readonly (readonly [string, string])[];
}

export interface BenchApache extends Service {
  readonly port: number;
}

const installed = '/usr/lib/apache2/modules';
const basic = ['authz_core', 'dir', 'mime', 'alias', 'env', 'setenvif'];

/** One process with enough threads, or the eight processes of a prefork server. */
const mpmLines = {
  event:
    'ServerLimit 1\nStartServers 1\nThreadLimit 256\nThreadsPerChild 256\nMaxRequestWorkers 256\nMinSpareThreads 1\nMaxSpareThreads 256',
  prefork: `ServerLimit ${processes}\nStartServers ${processes}\nMaxRequestWorkers ${processes}\nMinSpareServers ${processes}\nMaxSpareServers ${processes}`,
};

function configuration(peer: ApachePeer, directory: string, port: number): string {
  const names = [`mpm_${peer.mpm}`, ...basic, ...(peer.modules ?? [])];
  const load = names.map((name) =>
    typeof name === 'string'
      ? `LoadModule ${name}_module ${installed}/mod_${name}.so`
      : `LoadModule ${name[0]}_module ${unpackedModules}/${name[1]}`,
  );
  return `ServerRoot ${directory}
DefaultRuntimeDir ${directory}
PidFile ${directory}/apache.pid
ErrorLog ${directory}/error.log
Mutex file:${directory} default
${load.join('\n')}
Listen 127.0.0.1:${port}
User ${peer.user ?? 'www-data'}
Group ${peer.user ?? 'www-data'}
ServerName localhost
TypesConfig /etc/mime.types
${mpmLines[peer.mpm]}
MaxConnectionsPerChild 0
ListenBackLog 511
<Directory />
  Require all denied
  AllowOverride None
</Directory>
<Directory ${peer.root}>
  Require all granted
  Options FollowSymLinks ExecCGI
</Directory>
${peer.before ?? ''}
${peer.hosts?.(port) ?? virtualHost(port, siteName, peer.root, peer.inside ?? '')}
`;
}

export function virtualHost(port: number, name: string, root: string, inside: string): string {
  return `<VirtualHost 127.0.0.1:${port}>
ServerName ${name}
DocumentRoot ${root}
${inside}
</VirtualHost>`;
}

/** Passes scripts to a FastCGI socket: the same lines for guise and for php-fpm. */
export function toSocket(socket: string, name = siteName): string {
  return `<FilesMatch "\\.php$">
  <If "-f %{REQUEST_FILENAME}">
    SetHandler "proxy:unix:${socket}|fcgi://${name}/"
  </If>
</FilesMatch>
ProxyFCGIBackendType GENERIC
ProxyFCGISetEnvIf "true" !HTTP_PROXY
ProxyTimeout 60`;
}

/** Keeps connections to the socket: no more than there are processes, since php-fpm hangs otherwise. */
export function kept(socket: string, connections: number = processes): string {
  return `<Proxy "unix:${socket}|fcgi://${siteName}/" enablereuse=on max=${connections}>\n</Proxy>`;
}

export async function startPeerApache(lab: Lab, directory: string, peer: ApachePeer): Promise<BenchApache> {
  const [port = 0] = await freePorts(1);
  const file = `${directory}/apache.conf`;
  writeFileSync(file, configuration(peer, directory, port));
  const command = ['/usr/sbin/apache2', '-d', directory, '-f', file, '-DFOREGROUND'];
  const mounts = (peer.mounts ?? []).map(([what, where]) => `mount --bind "${what}" "${where}"`);
  const output = `${directory}/output.log`;
  const service =
    mounts.length === 0
      ? startService('/usr/bin/env', [...(peer.env ?? []), ...command], output)
      : startService(
          '/usr/bin/unshare',
          ['--mount', '/bin/sh', '-ec', `${mounts.join('\n')}\nexec "$@"`, 'sh', ...command],
          output,
        );
  lab.undo.push('stop Apache', () => service.stop());
  const words = (): string => [output, `${directory}/error.log`].map(read).join('');
  await until('Apache to listen', () => {
    if (service.exit() !== undefined) throw new Error(`Apache ended at once: ${words().slice(-2000)}`);
    return listens(port);
  });
  return { ...service, port };
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
