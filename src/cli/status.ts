import type { Command } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import type { SiteReport, StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { GuiseError } from '../error.js';
import { type Attention, attentions } from './attention.js';
import type { Context } from './context.js';
import { coloured, plainText } from './paint.js';
import { adviceOn, siteScreen, statusScreen } from './status-view.js';
import { json } from './terminal.js';

interface Options {
  readonly all?: boolean;
  readonly json?: boolean;
}

export function addStatus(parent: Command, context: Context): void {
  parent
    .command('status [site]')
    .description('Show what needs attention and what every site does, or everything about one site.')
    .option('--all', 'show every site, also where a terminal has no room for them')
    .option('--json', 'print JSON: the body of GET /status, see docs/reference/control-api.md')
    .addHelpText(
      'after',
      `
First come problems, each with the command that helps; then the sites, the busiest first. The user of a site sees
his own sites. Colours only on a terminal, and not where NO_COLOR is set.

States of a site: quiet (no process), starting, active, throttled (crashed at start, waits),
quarantined (crashed too often, see guise site enable --help), disabled, stopping, parked (its file is wrong).

Examples:
  guise status
  guise status example.com
  guise status --json | jq '.sites[] | select(.workers.busy > 0) | .name'`,
    )
    .action(async (site: string | undefined, options: Options) => {
      const config = readClientConfig(context.configFile());
      const report = await ask<StatusReport>(config, { method: 'GET', path: '/status' });
      if (site === undefined) showAll(context, config, report, options);
      else await showOne(context, config, report, site, options);
    });
}

function attentionsOf(config: Config, report: StatusReport): Attention[] {
  // Whoever is told of no router is told of his own sites only.
  const seesAll = report.routers.length > 0;
  return attentions(report, {
    log: config.paths.log,
    ...(seesAll ? { maxWorkers: config.limits.maxWorkers } : {}),
  });
}

function showAll(context: Context, config: Config, report: StatusReport, options: Options): void {
  const { terminal } = context;
  if (options.json) {
    terminal.out(json(report));
    return;
  }
  const rows = options.all ? undefined : terminal.rows;
  const screen = statusScreen(report, attentionsOf(config, report), {
    paint: terminal.isColoured ? coloured : plainText,
    ...(rows === undefined ? {} : { lines: rows }),
  });
  terminal.out(screen);
}

async function showOne(
  context: Context,
  config: Config,
  report: StatusReport,
  wanted: string,
  options: Options,
): Promise<void> {
  const running = report.sites.find(({ name }) => name === wanted);
  const settings = await settingsOf(config, wanted).catch((thrown: unknown): SiteReport => {
    // An automatic site has no file; a site for visitors has that of its site.
    if (running !== undefined && thrown instanceof GuiseError && thrown.code === 'SITE_UNKNOWN') return {};
    throw thrown;
  });
  const name = settings.site?.name ?? settings.parked?.name ?? wanted;
  const status = report.sites.find((site) => site.name === name);
  if (options.json) {
    context.terminal.out(json({ ...(status === undefined ? {} : { status }), ...settings }));
    return;
  }
  const attention = attentionsOf(config, report).filter(({ site }) => site === name);
  const paint = context.terminal.isColoured ? coloured : plainText;
  const advice = status === undefined ? undefined : adviceOn(status, report);
  context.terminal.out(siteScreen(status, settings.site, attention, paint, advice));
}

function settingsOf(config: Config, name: string): Promise<SiteReport> {
  return ask<SiteReport>(config, { method: 'GET', path: `/sites/${encodeURIComponent(name)}` });
}
