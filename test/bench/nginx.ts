/** A private nginx for a peer, in front of one FastCGI socket; and php-fpm behind it. */

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { listens } from '../../src/quickstart/apache.js';
import { type Service, startService } from '../../src/quickstart/command.js';
import { freePorts } from '../../src/quickstart/ports.js';
import { until } from '../../src/quickstart/until.js';
import { peers } from '../harness/peer.js';
import { phpManager, webServer } from './accounts.js';
import type { Lab } from './lab.js';
import { type Peer, siteName } from './peer.js';
import { pm, startFpm } from './php.js';

export async function startPeerNginx(
  lab: Lab,
  directory: string,
  socket: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Service & { readonly port: number }> {
  const [port = 0] = await freePorts(1);
  const own = `${directory}/nginx`;
  cpSync(`${peers}/etc/nginx`, own, { recursive: true, dereference: true });
  const kinds = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'];
  for (const kind of kinds) mkdirSync(`${own}/tmp-${kind}`);
  const parameters = Object.entries(more).map(([name, value]) => `fastcgi_param ${name} "${value}";`);
  writeFileSync(
    `${own}/bench.conf`,
    `user www-data;
worker_processes ${availableParallelism()};
daemon off;
pid ${own}/nginx.pid;
error_log ${own}/error.log warn;
events { worker_connections 512; }
http {
  include mime.types;
  access_log off;
  client_max_body_size 0;
  keepalive_requests 100;
${kinds.map((kind) => `  ${kind}_temp_path ${own}/tmp-${kind};`).join('\n')}
  server {
    listen 127.0.0.1:${port};
    server_name ${siteName};
    root ${lab.root};
    location ~ "\\.php$" {
      try_files $fastcgi_script_name =404;
      include fastcgi.conf;
      ${parameters.join('\n      ')}
      fastcgi_pass unix:${socket};
    }
  }
}
`,
  );
  const args = ['-p', own, '-e', `${own}/error.log`, '-c', `${own}/bench.conf`];
  const service = startService(`${peers}/usr/sbin/nginx`, args, `${own}/output.log`);
  lab.undo.push('stop nginx', () => service.stop());
  await until('nginx to listen', () => {
    if (service.exit() !== undefined) throw new Error('nginx ended at once');
    return listens(port);
  });
  return { ...service, port };
}

export const nginxFpm: Peer = {
  id: 'nginx-fpm',
  start: async (lab, directory) => {
    const socket = `${directory}/fpm.sock`;
    const fpm = await startFpm(lab, directory, [{ name: 'bench', socket, pm: pm.static }]);
    const nginx = await startPeerNginx(lab, directory, socket);
    return { port: nginx.port, accounts: [webServer(nginx.pid), phpManager(fpm.pid)] };
  },
};
