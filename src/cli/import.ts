import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import type { SiteReport } from '../control/api.js';
import { viewSite } from '../control/api.js';
import { planApache } from '../import/apache.js';
import { carryOut, type Imported, type ImportedSite } from '../import/carry-out.js';
import { planFpm } from '../import/fpm.js';
import { fpmPools } from '../import/fpm-file.js';
import type { Fate, Plan } from '../import/plan.js';
import type { Table } from '../site/compose.js';
import { addSite } from '../site/write.js';
import { apacheConfig } from '../web/apache-hosts.js';
import { demandFile, webConfigs } from '../web/find-config.js';
import type { Context } from './context.js';
import { addWebFiles, demandRoot, type WebOptions } from './doctor.js';
import { exitCodes } from './exit.js';
import { showProgress } from './progress.js';
import { notApplied, throughDaemon } from './site-store.js';
import { json } from './terminal.js';

interface Options extends WebOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly root?: string;
}

export function addImportCommands(parent: Command, context: Context): void {
  const group = parent
    .command('import')
    .description(
      "Make sites of what is there: php-fpm's pools, or Apache's virtual hosts with mpm-itk or suexec.",
    )
    .addHelpText(
      'after',
      `
Says for every line what became of it: taken, changed or left. Nothing but guise's own files is written; the web server
is told by "guise web". Ends with 1 where a site could not be made.

Examples:
  guise import fpm /etc/php/8.2/fpm/pool.d/*.conf --dry-run
  guise import apache /etc/apache2/sites-enabled/*.conf`,
    );
  const fpm = group
    .command('fpm <file...>')
    .description("Make a site of each of php-fpm's pools, for the virtual hosts that use it.")
    .option('--root <directory>', 'the document root of a pool that no virtual host uses');
  addWebFiles(fpm);
  addRun(fpm, context, (files, options) => {
    const webs = webConfigs(options);
    const root = options.root === undefined ? {} : { root: resolve(options.root) };
    return files.map((file) => planFpm(fpmPools(file), webs, root));
  });
  const apache = group
    .command('apache <file...>')
    .description(
      "Make a site of each of Apache's virtual hosts that has a user: AssignUserID or SuexecUserGroup.",
    );
  addRun(apache, context, (files) => files.map((file) => planApache(apacheConfig(file))));
}

function addRun(
  command: Command,
  context: Context,
  plan: (files: string[], options: Options) => Plan[],
): void {
  command
    .option('--dry-run', 'write nothing, and print the files that would be')
    .option('--json', 'print JSON')
    .action(async (given: string[], options: Options) => {
      demandRoot("the files of sites are root's");
      const plans = plan(
        given.map((file) => demandFile(resolve(file))),
        options,
      );
      const whole = {
        sites: plans.flatMap(({ sites }) => sites),
        fates: plans.flatMap(({ fates }) => fates),
      };
      const imported = await carryOut(
        readClientConfig(context.configFile()),
        whole,
        options.dryRun === true ? undefined : writer(context),
      );
      context.terminal.out(options.json ? json(imported) : describe(imported, options.dryRun === true));
      if (!imported.ok) context.exitWith(exitCodes.PROBLEMS);
    });
}

/** Through the daemon, or into the files where none is running; that is said once. */
function writer(context: Context): (table: Table) => Promise<SiteReport> {
  const config = readClientConfig(context.configFile());
  let isTold = false;
  const { progress, done } = showProgress();
  return async (table) => {
    progress(`${String(table.name)} is added`);
    const { result, applied } = await throughDaemon<SiteReport>(
      config,
      { method: 'POST', path: '/sites', body: table },
      () => ({ site: viewSite(addSite(config, table)) }),
    ).finally(done);
    if (!applied && !isTold) context.terminal.err(notApplied);
    isTold ||= !applied;
    return result;
  };
}

function describe({ sites, fates }: Imported, isDry: boolean): string {
  const made = sites.filter(({ problems }) => problems.length === 0).length;
  const rest = fates.length === 0 ? [] : ['lines that belong to no site:', ...fates.map(describeFate), ''];
  const summary = `${made} of ${sites.length} sites ${isDry ? 'could be written (nothing was)' : 'written'}`;
  const next =
    made === 0 || isDry
      ? []
      : ['Now tell the web server about each: guise web apache NAME --bare (or nginx)'];
  return [...sites.flatMap((site) => [...describeSite(site, isDry), '']), ...rest, summary, ...next].join(
    '\n',
  );
}

function describeSite(
  { source, name, text, written, problems, fates }: ImportedSite,
  isDry: boolean,
): string[] {
  const state = problems.length > 0 ? 'cannot be made' : written ? 'written' : 'would be written';
  const file = isDry && problems.length === 0 ? indented(text ?? '') : [];
  return [
    `${name ?? 'a site'}: ${state}, from ${source}`,
    ...fates.map(describeFate),
    ...problems.flatMap(indented),
    ...file,
  ];
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`));
}

function describeFate({ file, line, text, kind, note }: Fate): string {
  return `  ${kind.padEnd(7)}  ${file}:${line}: ${text}   (${note})`;
}
