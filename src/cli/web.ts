import type { Command } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import { GuiseError } from '../error.js';
import { type Registry, readSites } from '../site/registry.js';
import type { Site } from '../site/site.js';
import { apacheConfiguration } from '../web/apache.js';
import { automaticApache, automaticNginx } from '../web/auto.js';
import { lighttpdConfiguration } from '../web/lighttpd.js';
import { nginxConfiguration } from '../web/nginx.js';
import type { WebOptions } from '../web/snippet.js';
import { apacheStatus, lighttpdStatus, nginxStatus } from '../web/status.js';
import type { Context } from './context.js';
import { json } from './terminal.js';
import { addWebRekey } from './web-rekey.js';

interface Options {
  readonly auto?: boolean;
  readonly status?: boolean;
  readonly bare?: boolean;
  readonly listen?: string;
  readonly form?: string;
  readonly json?: boolean;
}

export function addWebCommands(parent: Command, context: Context): void {
  const web = parent
    .command('web')
    .description('Print the configuration for a web server, or put keys into the one that there is.')
    .addHelpText(
      'after',
      `
What is printed holds the secret key of the site: keep the file root's and unreadable for others (mode 0640).

Examples:
  guise web apache example.com > /etc/apache2/sites-available/example.com.conf
  guise web nginx example.com --bare > /etc/nginx/guise-example.com.conf     to include in a server of your own`,
    );
  const apache = web
    .command('apache [name]')
    .description('Apache 2.4 with mod_proxy_fcgi: a virtual host for a site, or for all.');
  apache.option('--form <form>', 'sethandler, or proxypassmatch for what goes by path alone', 'sethandler');
  add(apache, context, { site: apacheConfiguration, status: apacheStatus, auto: automaticApache });
  add(web.command('nginx [name]').description('nginx: a server for a site, or for all.'), context, {
    site: nginxConfiguration,
    status: nginxStatus,
    auto: automaticNginx,
  });
  add(
    web.command('lighttpd [name]').description('lighttpd 1.4: a section for a site, or for all.'),
    context,
    { site: lighttpdConfiguration, status: lighttpdStatus },
  );
  addWebRekey(web, context);
}

interface Writers {
  readonly site: (config: Config, site: Site, options: WebOptions) => string;
  readonly status: (config: Config) => string;
  readonly auto?: (config: Config) => string;
}

function add(command: Command, context: Context, write: Writers): void {
  if (write.auto !== undefined)
    command.option('--auto', 'for all automatic sites ([auto] in guise.toml) at once');
  command.option('--status', 'for the status of guise itself ([status] in guise.toml)');
  command
    .option('--bare', 'only what goes inside a virtual host that you have already')
    .option('--listen <address:port>', 'the address of the virtual host')
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: Options) => {
      const config = readClientConfig(context.configFile());
      const forAll = options.auto === true ? write.auto : options.status === true ? write.status : undefined;
      if (forAll !== undefined) {
        print(context, options, forAll(config), []);
        return;
      }
      const registry = readSites(config);
      const chosen = name === undefined ? registry.sites : [demandSite(registry, name)];
      if (chosen.length === 0)
        throw new GuiseError('SITE_UNKNOWN', 'there are no sites', { remedy: 'guise site add --help' });
      const text = chosen.map((site) => write.site(config, site, webOptions(options))).join('\n');
      const leftOut = name === undefined ? registry.parked.map((parked) => parked.name) : [];
      print(context, options, text, leftOut);
    });
}

function print({ terminal }: Context, options: Options, configuration: string, leftOut: string[]): void {
  terminal.out(options.json ? json({ configuration, leftOut }) : configuration);
  for (const name of leftOut) terminal.err(`guise: left out ${name}, which is parked; see: guise check`);
}

function webOptions(options: Options): WebOptions {
  const form = options.form ?? 'sethandler';
  if (form !== 'sethandler' && form !== 'proxypassmatch') {
    throw new GuiseError('USAGE', `there is no form ${JSON.stringify(form)}`, {
      remedy: '--form sethandler or --form proxypassmatch',
    });
  }
  const { listen } = options;
  if (listen !== undefined && !/^([A-Za-z0-9.*_-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(listen)) {
    throw new GuiseError('USAGE', `${JSON.stringify(listen)} is not ADDRESS:PORT`, {
      remedy: '--listen 127.0.0.1:8080',
    });
  }
  return { bare: options.bare === true, form, ...(listen === undefined ? {} : { listen }) };
}

/** The site of that name or alias. Throws GuiseError SITE_UNKNOWN, or SITE_INVALID for a parked one. */
export function demandSite(registry: Registry, name: string): Site {
  const site = registry.sites.find((one) => one.name === name || one.aliases.includes(name));
  if (site !== undefined) return site;
  const parked = registry.parked.some((one) => one.name === name);
  throw new GuiseError(
    parked ? 'SITE_INVALID' : 'SITE_UNKNOWN',
    parked
      ? `the site ${name} is parked, because its file is wrong`
      : `there is no site ${JSON.stringify(name)}`,
    { remedy: parked ? 'guise check' : 'guise site list' },
  );
}
