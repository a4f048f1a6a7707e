/** Switches a site off and on, and begins it anew. */

import type { Command } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import { type SiteReport, viewSite } from '../control/api.js';
import { ask } from '../control/client.js';
import { changeSite, type SiteChanges, switchedOff, switchedOn } from '../site/write.js';
import type { Context } from './context.js';
import { notApplied, throughDaemon } from './site-store.js';
import { json } from './terminal.js';

interface Options {
  readonly json?: boolean;
}

interface Act {
  readonly word: 'enable' | 'disable' | 'restart';
  readonly done: string;
  readonly description: string;
  readonly help: string;
  /** What to do where no daemon is running; absent: nothing can be done. */
  readonly alone?: SiteChanges;
}

const acts: readonly Act[] = [
  {
    word: 'enable',
    done: 'enabled',
    description: 'Run a site that is disabled or in quarantine.',
    help: `
A site is in quarantine when its PHP has failed quarantine_after times in a row: see why with guise status NAME. Also
changing its configuration takes it out.`,
    alone: switchedOn,
  },
  {
    word: 'disable',
    done: 'disabled',
    description: 'Run no request of a site until it is enabled again.',
    help: `
Requests that run may finish, new ones get a page with status 503. It stays so over restarts: enabled = false is written
into the file of the site.`,
    alone: switchedOff,
  },
  {
    word: 'restart',
    done: 'restarted',
    description: "End a site's processes once their requests have ended, and begin anew.",
    help: `
New requests run in new processes at once. A quarantine is lifted. The user of a site may do this with his own.`,
  },
];

export function addSiteStanding(parent: Command, context: Context): void {
  for (const act of acts) add(parent, context, act);
}

function add(parent: Command, context: Context, { word, done, description, help, alone }: Act): void {
  parent
    .command(`${word} <name>`)
    .description(description)
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action(async (name: string, options: Options) => {
      const config = readClientConfig(context.configFile());
      const { site, applied } = await carryOut(config, name, word, alone);
      if (!applied) context.terminal.err(notApplied);
      const isOff = word === 'restart' && site?.enabled === false;
      const off = isOff ? `, and is disabled: guise site enable ${name}` : '';
      context.terminal.out(options.json ? json({ ...site, applied }) : `${done} ${site?.name ?? name}${off}`);
    });
}

async function carryOut(
  config: Config,
  name: string,
  word: Act['word'],
  alone: SiteChanges | undefined,
): Promise<SiteReport & { readonly applied: boolean }> {
  const question = { method: 'POST', path: `/sites/${encodeURIComponent(name)}/${word}` } as const;
  if (alone === undefined) return { ...(await ask<SiteReport>(config, question)), applied: true };
  const { result, applied } = await throughDaemon<SiteReport>(config, question, () => ({
    site: viewSite(changeSite(config, name, alone)),
  }));
  return { ...result, applied };
}
