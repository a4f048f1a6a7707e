/** A private HAProxy that speaks FastCGI itself (`fcgi-app`). Debian's binary, unpacked by bin/setup. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { freePorts } from '../../src/quickstart/ports.js';
import type { Site } from './guise.js';
import { peers, startWebServer, type WebServer } from './peer.js';
import type { World } from './world.js';

export async function haproxyFor(world: World, sites: readonly Site[]): Promise<WebServer> {
  const [port = 0] = await freePorts(1);
  const directory = `${world.directory}/haproxy-${port}`;
  mkdirSync(directory);
  const uses = sites.map((site) => `  use_backend ${site.name} if { hdr(host) -i ${site.name} }`);
  const backends = sites.map((site) => backend(world, site));
  writeFileSync(
    `${directory}/haproxy.conf`,
    `global
  maxconn 200
  user www-data
  group www-data
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
${uses.join('\n')}
${backends.join('\n')}
`,
  );
  // Its libraries were unpacked beside it.
  const library = readdirSync(`${peers}/usr/lib`).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const file = `${peers}/usr/sbin/haproxy`;
  const args = [
    `LD_LIBRARY_PATH=${peers}/usr/lib/${library}`,
    file,
    '-db',
    '-f',
    `${directory}/haproxy.conf`,
  ];
  return startWebServer(world, { name: 'HAProxy', port, directory, file: '/usr/bin/env', args });
}

function backend(world: World, site: Site): string {
  return `fcgi-app app-${site.name}
  docroot ${site.root}
  index index.php
  path-info ^(/.+\\.php)(/.*)?$
  option keep-conn
  set-param GUISE_KEY ${world.guise.keyOf(site.name) ?? ''}
backend ${site.name}
  use-fcgi-app app-${site.name}
  server guise unix@${world.guise.socket} proto fcgi`;
}
