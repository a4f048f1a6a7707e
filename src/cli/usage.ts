import type { Command } from 'commander';
import { type Usage, usageFields } from '../account/usage.js';
import { readClientConfig } from '../config/config.js';
import { errorCode } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { readUsage, waitForUsage } from '../ledger/usage-files.js';
import { summarize, type UsageQuestion, type UsageSummary } from '../ledger/usage-report.js';
import type { Context } from './context.js';
import { columns, json } from './terminal.js';

interface Options {
  readonly site?: string;
  readonly since?: string;
  readonly until?: string;
  readonly daily?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export function addUsage(parent: Command, context: Context): void {
  parent
    .command('usage')
    .description('Show what sites have used, for billing: requests, bytes, processor time, run time, memory.')
    .option('--site <name>', 'this site alone')
    .option('--since <day>', 'from this day on, of UTC: 2026-11-01')
    .option('--until <day>', 'up to this day, and with it')
    .option('--daily', 'a row for each day instead of one for each site')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .addHelpText(
      'after',
      `
Reads the sums in the state directory, so it needs root and works without a daemon. Requests that belong to no site
stand under "-". docs/reference/ledger.md says what each sum counts and whose word it is.

Examples:
  guise usage --since 2026-11-01 --until 2026-11-30 --csv
  guise usage --site example.com --daily`,
    )
    .action((options: Options) => {
      if (options.json && options.csv)
        throw new GuiseError('USAGE', '--json and --csv cannot be had at once');
      const question: UsageQuestion = {
        ...(options.site === undefined ? {} : { site: options.site }),
        ...(options.since === undefined ? {} : { since: day(options.since, '--since') }),
        ...(options.until === undefined ? {} : { until: day(options.until, '--until') }),
        daily: options.daily === true,
      };
      const rows = read(`${readClientConfig(context.configFile()).paths.state}/usage`, question);
      if (options.json) context.terminal.out(json({ usage: rows }));
      else if (options.csv) context.terminal.out(csv(rows));
      else context.terminal.out(rows.length === 0 ? 'nothing has been used' : table(rows, question.daily));
    });
}

function day(text: string, option: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time)) return text;
  throw new GuiseError('USAGE', `${option}: found ${text}; expected a day such as 2026-11-01`);
}

function read(directory: string, question: UsageQuestion): UsageSummary[] {
  let unlock: (() => void) | undefined;
  try {
    unlock = waitForUsage(directory);
    return summarize(readUsage(directory), question);
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code === 'ENOENT' && unlock === undefined) return []; // no daemon has ever run here
    if (code === 'EACCES')
      throw new GuiseError('NOT_PERMITTED', `${directory} is for root alone`, { remedy: 'run this as root' });
    if (thrown instanceof GuiseError) throw thrown;
    throw new GuiseError('SYSCALL_FAILED', `the sums cannot be read: ${messageOf(thrown)}`, {
      file: directory,
    });
  } finally {
    unlock?.();
  }
}

function csv(rows: readonly UsageSummary[]): string {
  const heading = ['site', 'from', 'to', ...usageFields];
  return [heading, ...rows.map((row) => [row.site, row.from, row.to, ...numbers(row)])]
    .map((cells) => cells.map(csvCell).join(','))
    .join('\n');
}

/** RFC 4180; and no spreadsheet may take a name for a formula. */
function csvCell(value: string): string {
  const safe = /^[=+@\t\r-]./.test(value) && !/^-\d/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function numbers(usage: Usage): string[] {
  return usageFields.map((field) => String(usage[field]));
}

function table(rows: readonly UsageSummary[], daily: boolean): string {
  const heading = ['SITE', 'FROM', 'TO', 'REQUESTS', 'REFUSED', 'IN', 'OUT', 'CPU', 'RUN', 'PEAK MEMORY'];
  const cells = rows.map((row) => [
    row.site,
    row.from,
    daily ? '' : row.to,
    String(row.requests),
    String(row.refused),
    bytes(row.bytesIn),
    bytes(row.bytesOut),
    seconds(row.cpuUs / 1e6),
    seconds(row.runMs / 1e3),
    bytes(row.maxRssKb * 1024),
  ]);
  const all = [daily ? heading.with(1, 'DAY').with(2, '') : heading, ...cells];
  return columns(daily ? all.map((row) => row.filter((_, i) => i !== 2)) : all);
}

function bytes(count: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P'];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`;
}

function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(2)}s`;
  if (value < 3600) return `${(value / 60).toFixed(1)}m`;
  return `${(value / 3600).toFixed(1)}h`;
}
