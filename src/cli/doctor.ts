import type { Command } from 'commander';
import { examine } from '../doctor/examine.js';
import { describeDiagnosis } from '../doctor/words.js';
import { GuiseError } from '../error.js';
import type { Context } from './context.js';
import { exitCodes } from './exit.js';
import { showProgress } from './progress.js';
import { json } from './terminal.js';

export interface WebOptions {
  readonly apache?: readonly string[];
  readonly nginx?: readonly string[];
}

interface Options extends WebOptions {
  readonly json?: boolean;
}

/** The same words wherever a command reads the web servers' configuration. */
export function addWebFiles(command: Command): Command {
  return command
    .option('--apache <file...>', "Apache's main configuration file, where it is not the usual one")
    .option('--nginx <file...>', "nginx's main configuration file, where it is not the usual one");
}

export function demandRoot(why: string): void {
  if (process.geteuid?.() !== 0) throw new GuiseError('NOT_PERMITTED', why, { remedy: 'run this as root' });
}

export function addDoctor(parent: Command, context: Context): void {
  const command = parent
    .command('doctor')
    .description(
      'Look for everything that will bite, on this machine and in the web servers, and say what mends it.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Changes nothing, and shows no key. Ends with 0 when nothing but notes was found, and with 1 else. Needs root.
Each check is explained in docs/reference/doctor.md.

Examples:
  guise doctor
  guise doctor --json | jq -r '.found[] | select(.severity == "error") | .remedy'`,
    );
  addWebFiles(command).action(async (options: Options) => {
    demandRoot('doctor looks into files that only root can read');
    const { progress, done } = showProgress();
    const diagnosis = await examine(context.configFile(), options, progress).finally(done);
    context.terminal.out(options.json ? json(diagnosis) : describeDiagnosis(diagnosis));
    if (!diagnosis.ok) context.exitWith(exitCodes.PROBLEMS);
  });
}
