import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { ask, requestsPath } from '../control/client.js';
import type { RequestsReport } from '../router/live-requests.js';
import type { Context } from './context.js';
import { columns, json } from './terminal.js';
import { visible } from './visible.js';

export function addRequests(parent: Command, context: Context): void {
  parent
    .command('requests [site]')
    .description('List the requests that wait or run now, the longest first.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The user of a site sees his own requests, root those of all. Requests of sites with dispatch = "direct" are not listed.

Example:
  guise requests
  guise kill 3f9c0a77d2e1`,
    )
    .action(async (site: string | undefined, options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const report = await ask<RequestsReport>(config, {
        method: 'GET',
        path: site === undefined ? '/requests' : `/requests/${encodeURIComponent(site)}`,
        socketPath: requestsPath(config.paths.run),
      });
      context.terminal.out(options.json ? json(report) : describe(report));
    });
}

function describe({ requests, more }: RequestsReport): string {
  if (requests.length === 0) return 'no request is waiting or running';
  const rows = requests.map((one) => [
    one.id,
    one.site,
    one.state,
    `${one.ms}ms`,
    one.pid === 0 ? '-' : String(one.pid),
    visible(`${one.method ?? '-'} ${one.uri ?? '-'}`, 80),
  ]);
  const table = columns([['ID', 'SITE', 'STATE', 'SINCE', 'PID', 'REQUEST'], ...rows]);
  return more === 0 ? table : `${table}\n${more} more`;
}
