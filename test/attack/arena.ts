/**
 * Two tenants of one machine: alice, who attacks, and bob, her victim. The same document roots are served twice behind
 * the same Apache and the same nginx: by php-fpm as it is usually set up (a pool for each user, Debian's defaults), and
 * by guise. An attack is first shown to work, then to fail.
 *
 * alice writes any .htaccess (AllowOverride All, as at hosting providers) and any PHP; she knows guise's source.
 */

import { chownSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { startApache } from '../../src/quickstart/apache.js';
import { freePorts } from '../../src/quickstart/ports.js';
import { type Guise, type NewSite, type Site, type Toml, writeAs } from '../harness/guise.js';
import type { Address, Reply } from '../harness/http.js';
import { type NginxOptions, nginxFor } from '../harness/nginx.js';
import { journey, type World } from '../harness/world.js';
import { attackPages } from './pages.js';
import { type PhpFpm, type PoolOptions, startPhpFpm } from './php-fpm.js';

/** One of the two ways in which the same sites are served. */
export interface Side {
  readonly name: 'php-fpm' | 'guise';
  readonly apache: (site: Site) => Address;
  /** The web servers, each by its name. */
  readonly webs: readonly Web[];
}

export interface Web {
  readonly name: 'Apache' | 'nginx';
  readonly at: (site: Site) => Address;
}

export interface Arena {
  readonly world: World;
  readonly instance: Guise;
  readonly alice: Site;
  readonly bob: Site;
  readonly fpm: Side & { readonly service: PhpFpm };
  readonly guise: Side;
  /** Apache's error log. */
  apacheLog(): string;
}

export interface ArenaOptions {
  readonly toml?: Toml;
  /** Further arguments of `guise site add`. */
  readonly alice?: Partial<NewSite>;
  readonly bob?: Partial<NewSite>;
  readonly pools?: PoolOptions;
  /** Modules of Apache beside those that hosting providers have anyway. */
  readonly modules?: readonly string[];
  /** Lines inside every virtual host of Apache. */
  readonly inside?: (site: Site) => string;
  /** nginx too; attacks by .htaccess need Apache only. */
  readonly nginx?: boolean;
  /**
   * The web servers keep one connection to each socket: with php-fpm that is one for each pool, with guise one for all
   * sites together.
   */
  readonly kept?: boolean;
  /** The configuration that guise prints stays as it is, AllowOverride and all. */
  readonly asPrinted?: boolean;
}

const usualModules = ['rewrite', 'headers', 'authn_core', 'authz_user', 'filter', 'deflate', 'proxy_http'];

export async function arena(
  story: (t: Test, arena: Arena) => Promise<void>,
  options: ArenaOptions = {},
): Promise<void> {
  await journey(async (t, world) => {
    const instance = world.guise;
    const tenant = (name: string, more: Partial<NewSite> = {}): Promise<Site> =>
      instance.addSite({
        name: `${name}.test`,
        user: name,
        ...more,
        files: { ...attackPages, ...more.files },
      });
    const sites = [await tenant('alice', options.alice), await tenant('bob', options.bob)] as const;
    const [alice, bob] = sites;
    writeSecret(bob);
    const service = await startPhpFpm(world, sites, options.pools);
    const apache = await bothBehindApache(world, sites, service, options);
    const webs = {
      fpm: [web('Apache', { at: apache.fpm })],
      guise: [web('Apache', { at: apache.guise })],
    };
    if (options.nginx === true) {
      const kept = options.kept === true;
      webs.fpm.push(web('nginx', await nginxFor(world, sites, nginxForPhpFpm(service, sites, kept))));
      webs.guise.push(
        web('nginx', await nginxFor(world, sites, kept ? nginxThatKeeps(instance.socket) : {})),
      );
    }
    await story(t, {
      world,
      instance,
      alice,
      bob,
      fpm: { name: 'php-fpm', service, apache: apache.fpm, webs: webs.fpm },
      guise: { name: 'guise', apache: apache.guise, webs: webs.guise },
      apacheLog: () => apache.log(),
    });
  }, options.toml);
}

function web(name: Web['name'], server: { at(site: Site): Address }): Web {
  return { name, at: (site) => server.at(site) };
}

/** A file of bob's that nobody else may read. */
export const secret = 'the secret of bob';

export function secretFile(bob: Site): string {
  return bob.root.replace(/www$/, 'secret.txt');
}

function writeSecret(bob: Site): void {
  writeFileSync(secretFile(bob), secret, { mode: 0o600 });
  chownSync(secretFile(bob), bob.user.uid, bob.user.gid);
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
  options: ArenaOptions,
): Promise<BothSides> {
  const [fpmPort = 0, guisePort = 0] = await freePorts(2);
  const { inside = () => '', asPrinted = false } = options;
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
${inside(site)}
</VirtualHost>`);
    const printed = await world.guise.says('web', 'apache', site.name, '--listen', `127.0.0.1:${guisePort}`);
    const open = asPrinted ? printed : printed.replace(/AllowOverride .*/, 'AllowOverride All');
    const whole = open.replace('</VirtualHost>', `${inside(site)}\n</VirtualHost>`);
    hosts.push(options.kept === true ? whole.replace(`guise-${site.name}/`, 'guise/') : whole);
  }
  if (options.kept === true) hosts.unshift(apacheThatKeeps(world.guise.socket));
  const apache = await startApache({
    directory: `${world.directory}/apache`,
    mpm: 'event',
    modules: [...usualModules, ...(options.modules ?? [])],
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

/** What a tenant writes into the .htaccess of the document root. */
export function htaccess(site: Site, ...lines: string[]): void {
  writeAs(site, '.htaccess', `${lines.join('\n')}\n`);
}

/** Lines of a .htaccess that send one of its scripts to a socket of the attacker's choice, whatever else is configured. */
export function handOver(script: string, socket: string): string[] {
  return ['RewriteEngine On', `RewriteRule ^${script}$ unix:${socket}|fcgi://x%{REQUEST_FILENAME} [P]`];
}

/** A line of a .htaccess that makes a FastCGI parameter of the attacker's choice. */
export function forge(name: string, value: string): string {
  return `ProxyFCGISetEnvIf "true" ${name} "${value}"`;
}

/** The visitor got a page of guise with this status, and the log names this reason beside the page's reference. */
export async function refused(
  t: Test,
  instance: Guise,
  reply: Reply,
  status: number,
  reason: string,
): Promise<void> {
  t.equal(reply.status, status, `status ${status}`);
  const id = /Reference: ([0-9a-f]+)/.exec(reply.text())?.[1];
  if (id === undefined) {
    t.fail(`the page has no reference: ${reply.text().slice(0, 300)}`);
    return;
  }
  const [line] = await instance.logged(new RegExp(`"id":"${id}"`));
  t.equal(line?.reason, reason, `refused: ${reason}`);
}
