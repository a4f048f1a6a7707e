import type { Command } from 'commander';
import { checkConfig, configFile } from '../config/config.js';
import { formatProblem, type Problem } from '../config/problem.js';
import { landlockSupport } from '../os/landlock.js';
import { lostWithoutKey } from '../site/key.js';
import { readSites } from '../site/registry.js';
import type { Site } from '../site/site.js';
import { socketProblems } from '../site/sockets.js';
import type { Context } from './context.js';
import { exitCodes } from './exit.js';
import { json } from './terminal.js';

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
  parent
    .command('check')
    .description('Check guise.toml and the files of all sites, and say everything that is wrong with them.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Works without a daemon, and changes nothing. Ends with 0 when all is well, and with 1 when there is a problem.
A site with a problem is parked when the daemon reads it: it does not run, and the others do.

Example:
  guise check && guise reload`,
    )
    .action((options: { json?: boolean }) => {
      const report = check(context.configFile());
      context.terminal.out(options.json ? json(report) : describe(report));
      if (!report.ok) context.exitWith(exitCodes.PROBLEMS);
    });
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
    notes: notesOn(registry.sites),
  };
}

/** Sites without a key, and sites that are to be confined and cannot be. Where that is required they are parked, and so no longer among these. */
function notesOn(sites: readonly Site[]): string[] {
  const { abi, reason } = landlockSupport();
  const open = sites.filter((site) => site.confine === 'landlock').length;
  const keyless = sites.filter((site) => !site.keyRequired).map((site) => lostWithoutKey(site.name));
  if (abi > 0 || open === 0) return keyless;
  return [
    ...keyless,
    `there is no Landlock here (${reason ?? ''}): file modes alone keep ${count(open, 'site')} from reading the others`,
  ];
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
