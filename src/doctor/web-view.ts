/** Which site a virtual host is for, and whether it hands its scripts to guise. */

import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Config } from '../config/config.js';
import { matchAuto } from '../site/auto.js';
import { type Site, siteSocketPath } from '../site/site.js';
import type { Pass, WebConfig, WebHost } from '../web/host.js';
import { sharedSocketPath } from '../web/snippet.js';

/** A host with what it has to do with guise. */
export interface SeenHost {
  readonly web: WebConfig;
  readonly host: WebHost;
  /** Where it hands scripts to guise, and where to others. */
  readonly toGuise: readonly Pass[];
  readonly toOthers: readonly Pass[];
  /** The site that its names, or else its root, or else the socket, mean. */
  readonly site?: Site;
  /** Its root is that of an automatic site. */
  readonly isAutomatic: boolean;
}

export interface Seen {
  readonly config: Config;
  readonly sites: readonly Site[];
  readonly webs: readonly WebConfig[];
}

const remembered = new WeakMap<readonly WebConfig[], readonly SeenHost[]>();

/** All hosts of all servers. Made once for what was read. */
export function seenHosts(seen: Seen): readonly SeenHost[] {
  const known = remembered.get(seen.webs);
  if (known !== undefined) return known;
  const view = new View(seen);
  const hosts = seen.webs.flatMap((web) => web.hosts.map((host) => view.see(web, host)));
  remembered.set(seen.webs, hosts);
  return hosts;
}

class View {
  readonly #config: Config;
  readonly #byName = new Map<string, Site>();
  readonly #byRoot = new Map<string, Site>();
  readonly #bySocket = new Map<string, Site>();
  readonly #sockets = new Set<string>();

  constructor({ config, sites }: Seen) {
    this.#config = config;
    this.#sockets.add(plain(sharedSocketPath(config.paths.run)));
    for (const { host, port } of config.router.listen) this.#sockets.add(tcp(`${host}:${port}`));
    for (const site of sites) {
      for (const name of [site.name, ...site.aliases]) this.#byName.set(name, site);
      for (const root of [site.root, site.realRoot]) this.#byRoot.set(root, site);
      const socket = plain(siteSocketPath(config.paths.run, site.name));
      this.#sockets.add(socket);
      if (site.socket === 'own') this.#bySocket.set(socket, site);
    }
  }

  see(web: WebConfig, host: WebHost): SeenHost {
    const toGuise = host.passes.filter((pass) => this.#isOurs(pass));
    const site =
      host.names.map((name) => this.#byName.get(name)).find((one) => one !== undefined) ??
      this.#byRoot.get(host.root ?? '') ??
      toGuise.map(({ target }) => this.#bySocket.get(plain(target))).find((one) => one !== undefined);
    const patterns = this.#config.auto?.patterns ?? [];
    return {
      web,
      host,
      toGuise,
      toOthers: host.passes.filter((pass) => !this.#isOurs(pass)),
      isAutomatic:
        site === undefined &&
        patterns.length > 0 &&
        (host.root === undefined || isAutomaticRoot(host.root, patterns)),
      ...(site === undefined ? {} : { site }),
    };
  }

  #isOurs({ target }: Pass): boolean {
    return this.#sockets.has(target.startsWith('/') ? plain(target) : tcp(target));
  }
}

/** A root with the host's name in it, or one that a pattern means. */
function isAutomaticRoot(root: string, patterns: Parameters<typeof matchAuto>[0]): boolean {
  return root.includes('$') || matchAuto(patterns, `${root}/index.php`) !== undefined;
}

/** The same socket may be written with a link on the way: /var/run is one to /run. */
export function plain(socket: string): string {
  try {
    return `${realpathSync(dirname(socket))}/${basename(socket)}`;
  } catch {
    return socket;
  }
}

function tcp(address: string): string {
  return address.replace(/^localhost:/, '127.0.0.1:').replace(/[[\]]/g, '');
}

/** How a host is called in messages: its first name, or where it stands. */
export function hostLabel(host: WebHost): string {
  return host.names[0] ?? `the host at ${host.file}:${host.line}`;
}
