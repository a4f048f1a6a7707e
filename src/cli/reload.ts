import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { formatProblem } from '../config/problem.js';
import type { ReloadReport } from '../control/api.js';
import { ask } from '../control/client.js';
import type { Context } from './context.js';
import { json } from './terminal.js';

export function addReload(parent: Command, context: Context): void {
  parent
    .command('reload')
    .description('Make the daemon read its configuration again and apply what changed.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Sites that did not change are not touched. Where guise.toml is wrong, nothing changes and the exit code is 5;
a site whose file is wrong runs on as it was; one that never was right is parked, alone.

Example:
  guise check && guise reload`,
    )
    .action(async (options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const report = await ask<ReloadReport>(config, { method: 'POST', path: '/reload', timeoutMs: 120_000 });
      context.terminal.out(options.json ? json(report) : describe(report));
      for (const problem of [...report.kept, ...report.parked].flatMap((one) => one.problems))
        context.terminal.err(formatProblem(problem));
    });
}

function describe(report: ReloadReport): string {
  const parts = [
    ...group('added', report.added),
    ...group('changed', report.changed),
    ...group('removed', report.removed),
    ...group(
      'parked',
      report.parked.map((parked) => parked.name),
    ),
    ...group(
      'wrong, running on as before',
      report.kept.map((kept) => kept.name),
    ),
    `unchanged: ${report.unchanged}`,
  ];
  return parts.join('; ');
}

function group(word: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${word}: ${names.join(', ')}`];
}
