import type { Command } from 'commander';
import { checkConfig, configFile, readClientConfig } from '../config/config.js';
import { GuiseError } from '../error.js';
import { explain } from '../explain/checks.js';
import { findInLedgers } from '../explain/ledger-record.js';
import { explainOwn, ownFinding } from '../explain/own.js';
import { findRefusal, idPattern, recordFinding } from '../explain/refusal-record.js';
import { describeExplanation, describeRecord } from '../explain/words.js';
import type { Context } from './context.js';
import { exitCodes } from './exit.js';
import { json } from './terminal.js';

interface Options {
  readonly site?: string;
  readonly visitor?: string;
  readonly id?: string;
  readonly json?: boolean;
}

export function addExplain(parent: Command, context: Context): void {
  parent
    .command('explain [url-or-file]')
    .description(
      'Make every check that a request for a script would meet, and say which one fails and what mends it.',
    )
    .option('--site <name>', 'the site, where the URL or the path does not tell')
    .option('--visitor <name>', 'as if this visitor had logged in (REMOTE_USER)')
    .option('--id <id>', 'explain a refusal of the past: the reference that the visitor was shown')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Changes nothing. Ends with 0 when the script would run, and with 1 when it would not; with --id, with 1 when the
log has no such refusal. The user of a site may ask about his own: what only root can see, such as the site's file and
its key, is left out then. He finds with --id what his sites' own logs have.

A URL is mapped to the site's root as a web server does that has no rules of its own. Where yours rewrites, name the
file that it rewrites to.

Examples:
  guise explain http://example.com/index.php
  guise explain /home/alice/www/index.php
  guise explain --id 1f6a09c2d7be`,
    )
    .action(async (what: string | undefined, options: Options) => {
      if (options.id === undefined) await explainNow(context, what, options);
      else await explainPast(context, options.id, options);
    });
}

async function explainNow(context: Context, what: string | undefined, options: Options): Promise<void> {
  if (what === undefined)
    throw new GuiseError('USAGE', 'a URL, a file or --id is needed', { remedy: 'guise explain --help' });
  const asked = context.configFile();
  const { site, visitor } = options;
  const question = {
    what,
    ...(site === undefined ? {} : { site }),
    ...(visitor === undefined ? {} : { visitor }),
  };
  const explanation =
    process.geteuid?.() === 0
      ? await explain(checkConfig(asked), configFile(asked), question)
      : await explainOwn(readClientConfig(asked), question);
  context.terminal.out(options.json ? json(explanation) : describeExplanation(explanation));
  if (!explanation.ok) context.exitWith(exitCodes.PROBLEMS);
}

async function explainPast(context: Context, id: string, options: Options): Promise<void> {
  if (!idPattern.test(id))
    throw new GuiseError('USAGE', `${JSON.stringify(id)} is no reference`, {
      remedy: 'guise explain --id 1f6a09c2d7be',
    });
  const config = readClientConfig(context.configFile());
  const isRoot = process.geteuid?.() === 0;
  const record = (isRoot ? await findRefusal(config, id) : undefined) ?? (await findInLedgers(config, id));
  if (record === undefined) {
    const where = isRoot ? `${config.paths.log} has` : 'the logs of your sites have';
    if (options.json) context.terminal.out(json({ id, known: false }));
    else
      context.terminal.out(
        `${where} no refusal ${id}: it is older than the log, or one of too many in one second`,
      );
    context.exitWith(exitCodes.PROBLEMS);
    return;
  }
  const finding = isRoot ? recordFinding(config, record) : await ownFinding(config, record);
  if (options.json) context.terminal.out(json({ ...record, known: true, ...finding }));
  else context.terminal.out(describeRecord(record, finding));
}
