import type { Command } from 'commander';
import { type Config, checkConfig, configFile, readConfig } from '../config/config.js';
import { formatProblem, type Problem } from '../config/problem.js';
import { GuiseError } from '../error.js';
import { describeSteps } from '../explain/words.js';
import { landlockSupport } from '../os/landlock.js';
import { type Probe, type ProbeOptions, probeSite } from '../probe/probe.js';
import { groupOutlook, limitsNotHeld } from '../site/group-outlook.js';
import { lostWithoutKey } from '../site/key.js';
import { readSites } from '../site/registry.js';
import type { Site } from '../site/site.js';
import { socketProblems } from '../site/sockets.js';
import type { Context } from './context.js';
import { addWebFiles, demandRoot } from './doctor.js';
import { exitCodes } from './exit.js';
import { showProgress } from './progress.js';
import { json } from './terminal.js';
import { demandSite } from './web.js';

interface CheckReport {
  readonly ok: boolean;
  readonly config: string;
  /** Sites that are fine, and those that would be parked. */
  readonly sites: readonly string[];
  readonly parked: readonly string[];
  readonly problems: readonly Problem[];
  /** What is no mistake, and yet should be known. */
  readonly notes: readonly string[];
}

export function addCheck(parent: Command, context: Context): void {
  const command = parent
    .command('check [site]')
    .description(
      'Check guise.toml and the files of all sites; with a site, prove by a page what its scripts are.',
    )
    .option('--json', 'print JSON')
    .option(
      '--url <url>',
      'where the web server is asked for the page, instead of where its configuration says',
    )
    .option('--directory <path>', "where the page lies, beneath the site's root")
    .addHelpText(
      'after',
      `
Without a site: works without a daemon, and changes nothing. Ends with 0 when all is well, and with 1 when there is a
problem. A site with a problem is parked when the daemon reads it: it does not run, and the others do.

With a site: writes a page with a random name into the site's root, as the site's user, asks the real web server for it,
compares what the page sees with the configuration, and removes it. Needs root.

Examples:
  guise check && guise reload
  guise check example.com
  guise check example.com --url http://127.0.0.1:8080`,
    );
  addWebFiles(command).action(async (site: string | undefined, options: Options) => {
    if (site !== undefined) return probe(context, site, options);
    const report = check(context.configFile());
    context.terminal.out(options.json ? json(report) : describe(report));
    if (!report.ok) context.exitWith(exitCodes.PROBLEMS);
  });
}

interface Options extends ProbeOptions {
  readonly json?: boolean;
}

async function probe(context: Context, name: string, options: Options): Promise<void> {
  demandRoot("the page is written as the site's user, which only root can become");
  const config = readConfig(context.configFile());
  const registry = readSites(config);
  const site = demandSite(registry, name);
  if (site.command !== undefined) {
    throw new GuiseError(
      'USAGE',
      `${site.name} runs a program that is not PHP: there is no page to ask it for`,
      {
        remedy: `guise explain --site ${site.name} ${site.root}`,
      },
    );
  }
  const interrupted = new AbortController();
  const end = (): void => interrupted.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  const { progress, done } = showProgress();
  try {
    progress(`a page of ${site.name} is asked for`);
    const result = await probeSite(config, site, registry.sites, options, interrupted.signal).finally(done);
    context.terminal.out(options.json ? json(result) : describeProbe(result));
    if (!result.ok) context.exitWith(exitCodes.PROBLEMS);
  } catch (thrown) {
    if (!interrupted.signal.aborted) throw thrown;
    context.terminal.err('guise: interrupted; the page has been removed');
    context.exitWith(exitCodes.PROBLEMS);
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

function describeProbe({ ok, site, user, steps }: Probe): string {
  const wrong = steps.filter((step) => !step.ok).length;
  const verdict = ok
    ? `${site} is as configured: its scripts run as ${user}`
    : `${site}: ${count(wrong, 'step')} failed`;
  return [...describeSteps(steps), '', verdict].join('\n');
}

function check(asked: string | undefined): CheckReport {
  const { config, problems } = checkConfig(asked);
  // Sites are read even where the main file has a problem with the system: one run shows everything.
  const registry = config === undefined ? { sites: [], parked: [] } : readSites(config);
  const sockets = config === undefined ? [] : socketProblems(config, registry.sites);
  const all = [...problems, ...registry.parked.flatMap((parked) => parked.problems), ...sockets];
  return {
    ok: all.length === 0,
    config: configFile(asked),
    sites: registry.sites.map((site) => site.name),
    parked: registry.parked.map((parked) => parked.name),
    problems: all,
    notes: [
      ...notesOn(registry.sites),
      ...(config === undefined ? [] : notesOnGroups(config, registry.sites)),
    ],
  };
}

/** Sites without a key, and sites that are to be confined and cannot be. Where that is required they are parked, and so no longer among these. */
function notesOn(sites: readonly Site[]): string[] {
  const off = sites.filter((site) => !site.enabled).map(({ name }) => `${name} is disabled`);
  const { abi, reason } = landlockSupport();
  const open = sites.filter((site) => site.confine === 'landlock').length;
  const keyless = [
    ...off,
    ...sites.filter((site) => !site.keyRequired).map((site) => lostWithoutKey(site.name)),
  ];
  if (abi > 0 || open === 0) return keyless;
  return [
    ...keyless,
    `there is no Landlock here (${reason ?? ''}): file modes alone keep ${count(open, 'site')} from reading the others`,
  ];
}

/** Which of the two ways of finding what a site has started applies, and why. */
function notesOnGroups(config: Config, sites: readonly Site[]): string[] {
  const outlook = groupOutlook(config);
  const { directory, controllers, reason, remedy } = outlook;
  const mend = remedy === '' ? '' : `; to mend it: ${remedy}`;
  const way =
    directory === undefined
      ? `what a site starts is found by its processes: ${reason}${mend}`
      : `each site has a control group below ${directory}; it can limit ${controllers.join(', ') || `nothing: ${reason}`}`;
  const open = sites.flatMap((site) => {
    const keys = limitsNotHeld(site, outlook).join(', ');
    if (keys === '') return [];
    const stays = keys.includes('memory_max') ? 'it does not run' : 'it runs without';
    return [`${keys} of ${site.name} cannot be held: ${stays}`];
  });
  return [way, ...open];
}

function describe(report: CheckReport): string {
  const fine = `${count(report.sites.length, 'site')} fine`;
  const notes = report.notes.map((note) => `note: ${note}`);
  if (report.ok) return [`${report.config}: no problem, ${fine}`, ...notes].join('\n');
  const problems = `${count(report.problems.length, 'problem')}, ${count(report.parked.length, 'site')} parked, ${fine}`;
  return [...report.problems.map(formatProblem), '', problems, ...notes].join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
