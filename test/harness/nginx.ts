/** A private nginx in front of a test's sites. The binary is Debian's, unpacked by bin/setup and not installed. */

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { freePorts } from '../../src/quickstart/ports.js';
import type { Site } from './guise.js';
import { peers, startWebServer, type WebServer } from './peer.js';
import type { World } from './world.js';

export interface NginxOptions {
  /** What stands inside a site's server block, instead of the whole one that `guise web nginx SITE` prints. */
  readonly inside?: (site: Site) => string | Promise<string>;
  /** Changes the server block that was printed. */
  readonly edit?: (printed: string, site: Site) => string;
  /** Lines in the http block; as a function of the address and port that are meant for servers. */
  readonly before?: string | ((listen: string) => string);
}

export async function nginxFor(
  world: World,
  sites: readonly Site[],
  options: NginxOptions = {},
): Promise<WebServer> {
  const [port = 0] = await freePorts(1);
  const directory = `${world.directory}/nginx-${port}`;
  // Its files of parameters lie beside its configuration, as on a machine where it is installed.
  cpSync(`${peers}/etc/nginx`, directory, { recursive: true, dereference: true });
  for (const name of ['body', 'fastcgi', 'proxy', 'uwsgi', 'scgi']) mkdirSync(`${directory}/tmp-${name}`);
  const listen = `127.0.0.1:${port}`;
  const { inside, edit = (printed: string) => printed } = options;
  const server = async (site: Site): Promise<string> =>
    inside === undefined
      ? edit(await world.guise.says('web', 'nginx', site.name, '--listen', listen), site)
      : `server { listen ${listen}; server_name ${site.name}; root ${site.root}; ${await inside(site)} }`;
  const servers = [];
  for (const site of sites) servers.push(await server(site));
  writeFileSync(
    `${directory}/test.conf`,
    `user www-data;
worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log info;
events { worker_connections 512; }
http {
  include mime.types;
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${directory}/tmp-body;
  fastcgi_temp_path ${directory}/tmp-fastcgi;
  proxy_temp_path ${directory}/tmp-proxy;
  uwsgi_temp_path ${directory}/tmp-uwsgi;
  scgi_temp_path ${directory}/tmp-scgi;
${typeof options.before === 'function' ? options.before(listen) : (options.before ?? '')}
${servers.join('\n')}
}
`,
  );
  const args = ['-p', directory, '-e', `${directory}/error.log`, '-c', `${directory}/test.conf`];
  return startWebServer(world, { name: 'nginx', port, directory, file: `${peers}/usr/sbin/nginx`, args });
}
