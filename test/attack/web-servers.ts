/**
 * The web servers of the arena: one Apache with a port for each of the two ways in which the sites are served, and two
 * nginx. With php-fpm they are configured as Debian's packages do it, with guise as guise prints it, but for
 * AllowOverride All.
 */

import { startApache } from '../../src/quickstart/apache.js';
import { freePorts } from '../../src/quickstart/ports.js';
import type { Site } from '../harness/guise.js';
import type { Address } from '../harness/http.js';
import { type NginxOptions, nginxFor } from '../harness/nginx.js';
import type { World } from '../harness/world.js';
import type { PhpFpm } from './php-fpm.js';

export interface Web {
  readonly name: 'Apache' | 'nginx';
  readonly at: (site: Site) => Address;
}

export interface WebServers {
  readonly fpm: readonly [Web, ...Web[]];
  readonly guise: readonly [Web, ...Web[]];
  /** Apache's error log. */
  apacheLog(): string;
}

export interface WebOptions {
  readonly nginx: boolean;
  /** See ArenaOptions. */
  readonly kept: boolean;
}

/** What hosting providers load. */
const modules = ['rewrite', 'headers', 'authn_core', 'authz_user', 'filter', 'deflate', 'proxy_http'];

export async function startWebServers(
  world: World,
  sites: readonly Site[],
  service: PhpFpm,
  { nginx, kept }: WebOptions,
): Promise<WebServers> {
  const nginxOptions = [nginxForPhpFpm(service, sites, kept), kept ? nginxThatKeeps(world.guise.socket) : {}];
  const [apache, ...others] = await Promise.all([
    bothBehindApache(world, sites, service, kept),
    ...(nginx ? nginxOptions.map((options) => nginxFor(world, sites, options)) : []),
  ]);
  const [fpm = [], guise = []] = others.map((one) => [
    { name: 'nginx' as const, at: (site: Site) => one.at(site) },
  ]);
  return {
    fpm: [{ name: 'Apache', at: apache.fpm }, ...fpm],
    guise: [{ name: 'Apache', at: apache.guise }, ...guise],
    apacheLog: () => apache.log(),
  };
}

/** What Debian's php8.2-fpm.conf for Apache and its snippet for nginx say, for one virtual host. */
function apacheForPhpFpm(service: PhpFpm, site: Site): string {
  const address = service.listen(site);
  const target = address.startsWith('/') ? `unix:${address}|fcgi://localhost` : `fcgi://${address}`;
  return `  <FilesMatch ".+\\.ph(?:ar|p|tml)$">\n    SetHandler "proxy:${target}"\n  </FilesMatch>`;
}

function nginxForPhpFpm(service: PhpFpm, sites: readonly Site[], kept: boolean): NginxOptions {
  const address = (site: Site): string => {
    const listen = service.listen(site);
    return listen.startsWith('/') ? `unix:${listen}` : listen;
  };
  const upstream = (site: Site): string => `upstream ${site.name} { server ${address(site)}; keepalive 1; }`;
  return {
    before: kept ? sites.map(upstream).join('\n') : '',
    inside: (site) => `index index.php;
    location ~ \\.php$ {
      fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
      try_files $fastcgi_script_name =404;
      set $path_info $fastcgi_path_info;
      fastcgi_param PATH_INFO $path_info;
      fastcgi_index index.php;
      include fastcgi.conf;
      ${kept ? `fastcgi_keep_conn on; fastcgi_pass ${site.name};` : `fastcgi_pass ${address(site)};`}
    }`,
  };
}

/** What guise prints, with one upstream for all sites. */
function nginxThatKeeps(socket: string): NginxOptions {
  return {
    before: `upstream kept { server unix:${socket}; keepalive 1; }`,
    edit: (printed) =>
      printed.replace(/fastcgi_pass unix:.*;/, 'fastcgi_keep_conn on;\n        fastcgi_pass kept;'),
  };
}

interface BothSides {
  readonly fpm: (site: Site) => Address;
  readonly guise: (site: Site) => Address;
  log(): string;
}

async function bothBehindApache(
  world: World,
  sites: readonly Site[],
  service: PhpFpm,
  kept: boolean,
): Promise<BothSides> {
  const [fpmPort = 0, guisePort = 0] = await freePorts(2);
  const hosts = [];
  for (const site of sites) {
    hosts.push(`<VirtualHost 127.0.0.1:${fpmPort}>
  ServerName ${site.name}
  DocumentRoot ${site.root}
  <Directory ${site.root}>
    Require all granted
    Options FollowSymLinks
    AllowOverride All
  </Directory>
${apacheForPhpFpm(service, site)}
</VirtualHost>`);
    const printed = await world.guise.says('web', 'apache', site.name, '--listen', `127.0.0.1:${guisePort}`);
    const open = printed.replace(/AllowOverride .*/, 'AllowOverride All');
    hosts.push(kept ? open.replace(`guise-${site.name}/`, 'guise/') : open);
  }
  if (kept) hosts.unshift(apacheThatKeeps(world.guise.socket));
  const apache = await startApache({
    directory: `${world.directory}/apache`,
    mpm: 'event',
    modules,
    ports: [fpmPort, guisePort],
    configuration: hosts.join('\n'),
  });
  world.undo.push('stop Apache', () => apache.stop());
  world.servers.push(apache);
  return {
    fpm: (site) => ({ port: fpmPort, host: site.name }),
    guise: (site) => ({ port: guisePort, host: site.name }),
    log: () => apache.errorLog(),
  };
}

/** One process of Apache, and in it one connection for all sites of guise. */
function apacheThatKeeps(socket: string): string {
  return `ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
<Proxy "unix:${socket}|fcgi://guise/" enablereuse=on>
</Proxy>`;
}
