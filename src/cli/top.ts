import { ReadStream, WriteStream } from 'node:tty';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import type { Context } from './context.js';
import { coloured, plainText } from './paint.js';
import { json } from './terminal.js';
import { TopLive } from './top-live.js';
import { type Order, orders, topRows } from './top-rows.js';
import { type Size, topScreen } from './top-screen.js';
import { TopTerminal } from './top-terminal.js';

interface Options {
  readonly interval: number;
  readonly sort: Order;
  readonly once?: boolean;
  readonly json?: boolean;
}

const unlimited: Size = { lines: Number.POSITIVE_INFINITY, columns: 200 };

export function addTop(parent: Command, context: Context): void {
  parent
    .command('top')
    .description('Show what the sites do, live: requests, processor time and memory of each.')
    .option('--interval <seconds>', 'how often to look', seconds, 2)
    .addOption(new Option('--sort <column>', 'what comes first').choices(orders).default('cpu'))
    .option('--once', 'print one table after one interval, as it is done where there is no terminal')
    .option('--json', 'print the rows of one table as JSON')
    .addHelpText(
      'after',
      `
Keys: q quit, p pause, / filter by name or user (Escape clears), and to sort by a column:
  c CPU, r requests, b busy, w waiting, m memory, e errors, n name

Rates are counted between two looks. CPU is that of requests that have ended, as a percentage of one processor.`,
    )
    .action(async (options: Options) => {
      const config = readClientConfig(context.configFile());
      const isLive = options.once !== true && options.json !== true && isTerminal();
      if (!isLive) {
        await once(config, context, options);
        return;
      }
      const screen = new TopTerminal(process.stdin, process.stdout);
      const paint = context.terminal.isColoured === true ? coloured : plainText;
      await new TopLive(screen, paint, options.sort, () => look(config)).run(options.interval);
    });
}

const isTerminal = (): boolean =>
  process.stdin instanceof ReadStream && process.stdout instanceof WriteStream;

function seconds(text: string): number {
  const value = Number(text);
  if (value >= 0.1 && value <= 3600) return value;
  throw new InvalidArgumentError('expected a number of seconds from 0.1 to 3600');
}

const look = (config: Config): Promise<StatusReport> =>
  ask<StatusReport>(config, { method: 'GET', path: '/status' });

async function once(config: Config, { terminal }: Context, options: Options): Promise<void> {
  const before = await look(config);
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, options.interval * 1000));
  const now = await look(config);
  const rows = topRows(before, now, (performance.now() - startedMs) / 1000);
  const view = { order: options.sort, words: '', isTyping: false, isPaused: false };
  const [head = '', , ...table] = topScreen(now, rows, view, unlimited, plainText);
  terminal.out(
    options.json === true ? json(rows) : [head, ...table.map((line) => line.trimEnd())].join('\n'),
  );
}
