/**
 * Two tenants of one machine: alice, who attacks, and bob, her victim. The same document roots are served twice behind
 * the same Apache and the same nginx: by php-fpm as it is usually set up (a pool for each user, Debian's defaults), and
 * by guise. An attack is first shown to work, then to fail.
 *
 * alice writes any .htaccess (AllowOverride All, as at hosting providers) and any PHP; she knows guise's source.
 */

import { chownSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { type Guise, type NewSite, type Site, type Toml, writeAs } from '../harness/guise.js';
import type { Address, Reply } from '../harness/http.js';
import { journey, type World } from '../harness/world.js';
import { attackPages } from './pages.js';
import { type PhpFpm, type PoolOptions, startPhpFpm } from './php-fpm.js';
import { startWebServers, type Web, type WebServers } from './web-servers.js';

export type { Web } from './web-servers.js';

/** One of the two ways in which the same sites are served. */
export interface Side {
  readonly name: 'php-fpm' | 'guise';
  readonly apache: (site: Site) => Address;
  /** The web servers, each by its name. */
  readonly webs: readonly Web[];
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
  /** nginx too; attacks by .htaccess need Apache only. */
  readonly nginx?: boolean;
  /**
   * The web servers keep one connection to each socket: with php-fpm that is one for each pool, with guise one for all
   * sites together.
   */
  readonly kept?: boolean;
}

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
    const { nginx = false, kept = false } = options;
    const webs = await startWebServers(world, sites, service, { nginx, kept });
    const side = (name: Side['name'], [apache, ...others]: WebServers['fpm']): Side => ({
      name,
      apache: apache.at,
      webs: [apache, ...others],
    });
    await story(t, {
      world,
      instance,
      alice,
      bob,
      fpm: { ...side('php-fpm', webs.fpm), service },
      guise: side('guise', webs.guise),
      apacheLog: () => webs.apacheLog(),
    });
  }, options.toml);
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
