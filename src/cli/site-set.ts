import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { parseDuration } from '../config/duration.js';
import { type SiteReport, viewSite } from '../control/api.js';
import { GuiseError } from '../error.js';
import { defaultGraceMs, lostWithoutKey } from '../site/key.js';
import { changeSite, type SiteChanges } from '../site/write.js';
import type { Context } from './context.js';
import { parseSettings } from './settings.js';
import { notApplied, siteOf, throughDaemon } from './site-store.js';
import { json } from './terminal.js';

interface Options {
  readonly set?: readonly string[];
  readonly unset?: readonly string[];
  readonly rotateKey?: boolean;
  readonly grace?: string;
  readonly json?: boolean;
}

export function addSiteSet(parent: Command, context: Context): void {
  parent
    .command('set <name>')
    .description('Change keys of a site, or give it a new secret key.')
    .option('--set <key=value...>', 'set a key of the file, as in docs/reference/configuration.md')
    .option('--unset <key...>', 'remove a key, so that the default holds again')
    .option('--rotate-key', 'make a new secret key; the old one is accepted for the grace time')
    .option('--grace <duration>', 'how long the old key is accepted; 0s: not at all (default: 24h)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Comments in the file are kept. Nothing is written when the result would be wrong.

Examples:
  guise site set example.com --set max_workers=16 time_limit=5m
  guise site set example.com --unset time_limit
  guise site set example.com --rotate-key && guise web apache example.com`,
    )
    .action(async (name: string, options: Options) => {
      const config = readClientConfig(context.configFile());
      const changes = changesOf(name, options);
      const { result, applied } = await throughDaemon<SiteReport>(
        config,
        { method: 'PATCH', path: `/sites/${encodeURIComponent(name)}`, body: changes },
        () => ({ site: viewSite(changeSite(config, name, changes)) }),
      );
      const site = siteOf(result);
      if (!applied) context.terminal.err(notApplied);
      if (options.json) {
        context.terminal.out(json({ ...site, applied }));
        return;
      }
      context.terminal.out(`changed ${site.name}, file ${site.file}`);
      if (parseSettings(options.set ?? []).key_required === false)
        context.terminal.err(lostWithoutKey(site.name));
      if (options.rotateKey)
        context.terminal.out(
          `The web server needs the new key: guise web apache|nginx|lighttpd ${site.name}`,
        );
    });
}

function changesOf(name: string, options: Options): SiteChanges {
  const settings = parseSettings(options.set ?? []);
  const unset = options.unset ?? [];
  if (Object.keys(settings).length + unset.length === 0 && !options.rotateKey) {
    throw new GuiseError('USAGE', 'nothing to change', {
      remedy: `guise site set ${name} --set max_workers=16`,
    });
  }
  const graceMs = options.grace === undefined ? defaultGraceMs : parseDuration(options.grace);
  if (graceMs === undefined)
    throw new GuiseError('USAGE', `${options.grace ?? ''} is no duration`, { remedy: '--grace 24h' });
  return {
    set: settings,
    unset,
    ...(options.rotateKey ? { rotateKey: { graceMs } } : {}),
  };
}
