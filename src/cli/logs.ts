import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { errorCode } from '../config/toml-file.js';
import { GuiseError } from '../error.js';
import type { Context } from './context.js';
import { FollowedFile } from './followed-file.js';
import { type LogKind, lineOf } from './log-lines.js';

interface Options {
  readonly follow?: boolean;
  readonly php?: boolean;
  readonly requests?: boolean;
  readonly slow?: boolean;
  readonly refusals?: boolean;
  readonly json?: boolean;
  readonly lines: string;
}

const periodMs = 250;

export function addLogs(parent: Command, context: Context): void {
  parent
    .command('logs <site>')
    .description('Show the last lines of a log of a site, and follow it.')
    .option('-f, --follow', 'go on with what is added, over rotation, until interrupted')
    .option('--requests', 'requests.log: every request that has a line (the default)')
    .option('--refusals', 'of those, the ones that were refused, or ended by somebody else than their script')
    .option('--slow', 'slow.log: requests that ran for long')
    .option('--php', "php.log: PHP's errors")
    .option('--json', 'print the lines as they are in the file')
    .option('-n, --lines <number>', 'how many of the last lines', '20')
    .addHelpText(
      'after',
      `
Reads the files, so it works without a daemon, and for the user of the site as well as for root.

Example:
  guise logs example.com -f --refusals`,
    )
    .action(async (site: string, options: Options) => {
      const kind = kindOf(options);
      const count = Number(options.lines);
      if (!Number.isInteger(count) || count < 0 || count > 100_000)
        throw new GuiseError('USAGE', `--lines: found ${options.lines}; expected a number from 0 to 100000`);
      const name = kind === 'refusals' ? 'requests' : kind;
      const path = `${readClientConfig(context.configFile()).paths.log}/sites/${checked(site)}/${name}.log`;
      const show = (lines: readonly string[]): void => {
        const shown = lines.flatMap((line) => lineOf(kind, line, options.json === true) ?? []);
        if (shown.length > 0) context.terminal.out(shown.join('\n'));
      };
      const file = open(path, site);
      const wanted = (line: string): boolean => lineOf(kind, line, true) !== undefined;
      show(file.last(count, wanted));
      if (options.follow === true) await follow(file, show);
      file.close();
    });
}

function kindOf({ php, requests, slow, refusals }: Options): LogKind {
  const asked = (['php', 'requests', 'slow', 'refusals'] as const).filter(
    (name) => ({ php, requests, slow, refusals })[name] === true,
  );
  if (asked.length > 1) throw new GuiseError('USAGE', `one log at a time: found --${asked.join(' and --')}`);
  return asked[0] ?? 'requests';
}

/** The name becomes a part of a path. */
function checked(site: string): string {
  if (/^[a-z0-9~][A-Za-z0-9._+~$-]*$/.test(site) && !site.includes('..')) return site;
  throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(site)}`, {
    remedy: 'guise site list',
  });
}

function open(path: string, site: string): FollowedFile {
  try {
    return new FollowedFile(path);
  } catch (thrown) {
    if (errorCode(thrown) === 'EACCES')
      throw new GuiseError('NOT_PERMITTED', `you may not read ${path}`, {
        remedy: `run this as root, or as the user of ${site}`,
      });
    if (errorCode(thrown) === 'ENOENT')
      throw new GuiseError('SITE_UNKNOWN', `there is no log ${path} (yet)`, {
        remedy: `guise site show ${site}`,
      });
    throw thrown;
  }
}

/** Until the process is interrupted; ends in good order then, so that a pipe gets what has been read. */
async function follow(file: FollowedFile, show: (lines: readonly string[]) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => show(file.added()), periodMs);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearInterval(timer);
        resolve();
      });
    }
  });
}
