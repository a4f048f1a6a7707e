import type { Command } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import { formatProblem } from '../config/problem.js';
import { type SiteReport, type SitesReport, type SiteView, viewSite } from '../control/api.js';
import { GuiseError } from '../error.js';
import { readSites } from '../site/registry.js';
import type { Context } from './context.js';
import { throughDaemon } from './site-store.js';
import { columns, json } from './terminal.js';

export function addSiteList(parent: Command, context: Context): void {
  parent
    .command('list')
    .description('List all sites; asks the daemon, or reads the files where none is running.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  guise site list --json | jq -r ".sites[].name"')
    .action(async (options: { json?: boolean }) => {
      const report = await sites(readClientConfig(context.configFile()));
      context.terminal.out(options.json ? json(report) : describe(report));
    });
}

export function addSiteShow(parent: Command, context: Context): void {
  parent
    .command('show <name>')
    .description('Show one site with everything that holds for it, defaults included, or why it is parked.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nThe secret key is not shown; "guise web" prints it where it is needed.')
    .action(async (name: string, options: { json?: boolean }) => {
      const report = await oneSite(readClientConfig(context.configFile()), name);
      context.terminal.out(options.json ? json(report) : describeOne(report));
    });
}

async function sites(config: Config): Promise<SitesReport> {
  const { result } = await throughDaemon<SitesReport>(config, { method: 'GET', path: '/sites' }, () =>
    fromFiles(config),
  );
  return result;
}

function fromFiles(config: Config): SitesReport {
  const { sites: good, parked } = readSites(config);
  return { sites: good.map(viewSite), parked };
}

async function oneSite(config: Config, name: string): Promise<SiteReport> {
  const path = `/sites/${encodeURIComponent(name)}`;
  const { result } = await throughDaemon<SiteReport>(config, { method: 'GET', path }, () => {
    const report = fromFiles(config);
    const site = report.sites.find((one) => one.name === name || one.aliases.includes(name));
    const parked = report.parked.find((one) => one.name === name);
    if (site !== undefined) return { site };
    if (parked !== undefined) return { parked };
    throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(name)}`, {
      remedy: 'guise site list',
    });
  });
  return result;
}

function describe(report: SitesReport): string {
  if (report.sites.length + report.parked.length === 0)
    return 'no sites yet; "guise site add --help" shows how to add one';
  return columns([
    ['SITE', 'USER', 'MODE', 'ROOT', 'ALIASES'],
    ...report.sites.map((site) => [site.name, site.user, site.mode, site.root, site.aliases.join(' ')]),
    ...report.parked.map((site) => [site.name, '-', 'parked', site.file, 'see: guise check']),
  ]);
}

function describeOne(report: SiteReport): string {
  const { site, kept } = report;
  if (site !== undefined && kept === undefined) return describeView(site);
  if (site !== undefined) {
    const problems = kept?.problems.map(formatProblem) ?? [];
    return [describeView(site), '', 'This is what its file said before. Now it is wrong:', ...problems].join(
      '\n',
    );
  }
  return [
    `${report.parked?.name ?? ''} is parked:`,
    ...(report.parked?.problems ?? []).map(formatProblem),
  ].join('\n');
}

function describeView(site: SiteView): string {
  return columns(
    Object.entries(site).map(([key, value]) => [
      key,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}
