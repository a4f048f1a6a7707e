/** A private Apache in front of a test's sites: one port, a virtual host by name for each site. */

import { type Apache, startApache } from '../../src/quickstart/apache.js';
import { freePorts } from '../../src/quickstart/ports.js';
import type { Site } from './guise.js';
import type { Address } from './http.js';
import type { World } from './world.js';

export interface ApacheOptions {
  readonly mpm?: 'event' | 'worker' | 'prefork';
  /** Modules beside the basic ones, without `mod_`. */
  readonly modules?: readonly string[];
  /** Which form `guise web apache` is to print; its default when there is none. */
  readonly form?: 'sethandler' | 'proxypassmatch';
  /** What stands inside a site's virtual host, instead of the whole one that `guise web apache SITE` prints. */
  readonly inside?: (site: Site) => string | Promise<string>;
  /** Stands before the virtual hosts. */
  readonly before?: string;
}

export interface TestApache extends Apache {
  readonly port: number;
  at(site: Site): Address;
}

export async function apacheFor(
  world: World,
  sites: readonly Site[],
  options: ApacheOptions = {},
): Promise<TestApache> {
  const [port = 0] = await freePorts(1);
  const listen = `127.0.0.1:${port}`;
  const { inside } = options;
  const form = options.form === undefined ? [] : ['--form', options.form];
  const host = async (site: Site): Promise<string> =>
    inside === undefined
      ? world.guise.says('web', 'apache', site.name, '--listen', listen, ...form)
      : virtualHost(listen, site, await inside(site));
  const hosts = [];
  for (const site of sites) hosts.push(await host(site));
  const apache = await startApache({
    directory: `${world.directory}/apache-${port}`,
    mpm: options.mpm ?? 'event',
    modules: options.modules ?? [],
    ports: [port],
    configuration: `${options.before ?? ''}\n${hosts.join('\n')}`,
  });
  world.undo.push('stop Apache', () => apache.stop());
  world.servers.push(apache);
  return { ...apache, port, at: (site) => ({ port, host: site.name }) };
}

function virtualHost(listen: string, site: Site, inside: string): string {
  return `<VirtualHost ${listen}>
  ServerName ${site.name}
  DocumentRoot ${site.root}
  <Directory ${site.root}>
    Require all granted
    AllowOverride All
  </Directory>
${inside}
</VirtualHost>`;
}
