import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { formatProblem } from '../config/problem.js';
import type { SiteStatus, StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import type { Context } from './context.js';
import { columns, json, span } from './terminal.js';

export function addStatus(parent: Command, context: Context): void {
  parent
    .command('status')
    .description('Show the daemon, its routers, and every site with its workers, queue and counts.')
    .option('--json', 'print JSON: the body of GET /status, see docs/reference/control-api.md')
    .addHelpText(
      'after',
      `
States of a site: quiet (no process), starting, active, throttled (crashed at start, waits), stopping, parked (its file is wrong).

Examples:
  guise status
  guise status --json | jq '.sites[] | select(.workers.busy > 0) | .name'`,
    )
    .action(async (options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const report = await ask<StatusReport>(config, { method: 'GET', path: '/status' });
      context.terminal.out(options.json ? json(report) : describe(report));
    });
}

function describe(report: StatusReport): string {
  const routers = report.routers.map((router) => `${router.pid}${router.alive ? '' : ' (dead)'}`).join(', ');
  const head = `guise ${report.version}, pid ${report.pid}, up ${span(report.uptimeMs)}; router: ${routers || 'none'}`;
  const heading = [
    'SITE',
    'STATE',
    'USER',
    'MODE',
    'WORKERS',
    'BUSY',
    'QUEUE',
    'SERVED',
    'REFUSED',
    'CRASHED',
  ];
  const parked = report.parked.map((site) => [site.name, 'parked', ...Array.from({ length: 8 }, () => '-')]);
  const table = columns([heading, ...report.sites.map(row), ...parked]);
  const notes = report.sites.flatMap((site) => {
    const words = [site.reason, site.lastProblem].filter((text) => text !== undefined).join('; ');
    return words === '' ? [] : [`${site.name}: ${words}`];
  });
  const problems = report.parked.flatMap((site) => site.problems.map(formatProblem));
  const nobody = 'no sites yet; "guise site add --help" shows how to add one';
  const body = report.sites.length + report.parked.length === 0 ? nobody : table;
  return [head, '', body, ...blank(notes), ...blank(problems)].join('\n');
}

function blank(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function row(site: SiteStatus): string[] {
  const { workers, queue } = site;
  return [
    site.name,
    site.state,
    site.user,
    site.mode,
    `${workers.total}/${workers.limit}`,
    String(workers.busy),
    `${queue.length}/${queue.limit}`,
    String(site.served),
    String(site.refused),
    String(site.crashed),
  ];
}
