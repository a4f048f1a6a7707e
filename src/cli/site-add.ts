import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { quoteShell } from '../config/toml-file.js';
import { type SiteReport, viewSite } from '../control/api.js';
import { lostWithoutKey } from '../site/key.js';
import { setDotted } from '../site/settings.js';
import { addSite } from '../site/write.js';
import type { Context } from './context.js';
import { parseSettings } from './settings.js';
import { notApplied, siteOf, throughDaemon } from './site-store.js';
import { json } from './terminal.js';

interface Options {
  readonly user: string;
  readonly root: string;
  readonly alias?: readonly string[];
  readonly mode?: string;
  readonly php?: string;
  readonly maxWorkers?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export function addSiteAdd(parent: Command, context: Context): void {
  parent
    .command('add <name>')
    .description(
      'Add a site: check it, write its file with a new key, and let a running daemon serve it at once.',
    )
    .requiredOption('--user <user>', 'the Unix user that the site runs as')
    .requiredOption('--root <directory>', 'the document root')
    .option('--alias <name...>', 'further host names')
    .option('--mode <mode>', 'pool (workers stay) or per-request (a fresh process for every request)')
    .option('--php <file>', 'the php-cgi to use')
    .option('--max-workers <number>', 'how many requests run at once, at most')
    .option('--set <key=value...>', 'any other key of docs/reference/configuration.md')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Nothing is written when anything is wrong. No other site is touched.

Examples:
  guise site add example.com --user alice --root /home/alice/www --alias www.example.com
  guise site add wiki.example.com --user wiki --root /srv/wiki --mode per-request --set time_limit=30s \\
      --set php_ini.set.memory_limit=256M --set env.APP_ENV=production`,
    )
    .action(async (name: string, options: Options) => {
      const config = readClientConfig(context.configFile());
      const table = tableOf(name, options);
      const { result, applied } = await throughDaemon<SiteReport>(
        config,
        { method: 'POST', path: '/sites', body: table },
        () => ({ site: viewSite(addSite(config, table)) }),
      );
      const site = siteOf(result);
      if (!applied) context.terminal.err(notApplied);
      if (options.json) {
        context.terminal.out(json({ ...site, applied }));
        return;
      }
      if (table.key_required === false) context.terminal.err(lostWithoutKey(site.name));
      const flag = context.configFile() === undefined ? '' : ` --config ${quoteShell(config.file)}`;
      context.terminal.out(
        [
          `added ${site.name}: runs as ${site.user} (uid ${site.uid}) from ${site.root}, file ${site.file}`,
          'Now tell the web server about it; one of:',
          ...['apache', 'nginx', 'lighttpd'].map((server) => `  guise web ${server} ${site.name}${flag}`),
        ].join('\n'),
      );
    });
}

function tableOf(name: string, options: Options): Record<string, unknown> {
  const { user, root, alias, mode, php, maxWorkers } = options;
  const base = {
    name,
    root: resolve(root),
    user,
    ...(alias === undefined ? {} : { aliases: alias }),
    ...(mode === undefined ? {} : { mode }),
    ...(php === undefined ? {} : { php }),
  };
  const settings = [
    ...(maxWorkers === undefined ? [] : [`max_workers=${maxWorkers}`]),
    ...(options.set ?? []),
  ];
  return setDotted(base, parseSettings(settings));
}
