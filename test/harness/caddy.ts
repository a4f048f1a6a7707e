/** A private Caddy (`php_fastcgi`). Debian's binary, unpacked by bin/setup. */

import { chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { freePorts } from '../../src/quickstart/ports.js';
import { idsOf } from '../../src/quickstart/users.js';
import type { Site } from './guise.js';
import { peers, startWebServer, type WebServer } from './peer.js';
import type { World } from './world.js';

export async function caddyFor(world: World, sites: readonly Site[]): Promise<WebServer> {
  const [port = 0] = await freePorts(1);
  const directory = `${world.directory}/caddy-${port}`;
  mkdirSync(directory);
  const { uid, gid } = await idsOf('www-data');
  chownSync(directory, uid, gid);
  // It is started as the web server's user, who need not be able to reach this checkout.
  const file = `${directory}/caddy`;
  cpSync(`${peers}/usr/bin/caddy`, file);
  const hosts = sites.map((site) => host(world, site, port));
  writeFileSync(
    `${directory}/Caddyfile`,
    `{
  admin off
  auto_https off
  storage file_system ${directory}
}
${hosts.join('\n')}
`,
  );
  const identity = ['--reuid', 'www-data', '--regid', 'www-data', '--clear-groups'];
  const args = [
    ...identity,
    '/usr/bin/env',
    `HOME=${directory}`,
    file,
    'run',
    '--config',
    `${directory}/Caddyfile`,
  ];
  return startWebServer(world, { name: 'Caddy', port, directory, file: '/usr/bin/setpriv', args });
}

function host(world: World, site: Site, port: number): string {
  return `http://${site.name}:${port} {
  bind 127.0.0.1
  root * ${site.root}
  php_fastcgi unix/${world.guise.socket} {
    env GUISE_KEY ${world.guise.keyOf(site.name) ?? ''}
  }
  file_server
}`;
}
