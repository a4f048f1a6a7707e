/** The tree of commands. */

import { Command } from 'commander';
import { defaultConfigFile } from '../config/config.js';
import { version } from '../config/version.js';
import { addCheck } from './check.js';
import { addCompletion } from './completion.js';
import type { AddCommand, Context } from './context.js';
import { addDaemon } from './daemon.js';
import { addDoctor } from './doctor.js';
import { addExplain } from './explain.js';
import { addImportCommands } from './import.js';
import { addKill } from './kill.js';
import { addLogs } from './logs.js';
import { addManual } from './manual.js';
import { addMetrics } from './metrics.js';
import { addPing } from './ping.js';
import { addReload } from './reload.js';
import { addReopen } from './reopen.js';
import { addRequests } from './requests.js';
import { addRun } from './run.js';
import { addSiteCommands } from './site.js';
import { addStatus } from './status.js';
import { addStop } from './stop.js';
import type { Terminal } from './terminal.js';
import { addTop } from './top.js';
import { addUsage } from './usage.js';
import { addWebCommands } from './web.js';

/** In the order of the help. */
const commands: readonly AddCommand[] = [
  addDaemon,
  addCheck,
  addReload,
  addReopen,
  addStop,
  addStatus,
  addTop,
  addMetrics,
  addPing,
  addRequests,
  addKill,
  addLogs,
  addUsage,
  addExplain,
  addDoctor,
  addSiteCommands,
  addWebCommands,
  addImportCommands,
  addRun,
  addCompletion,
  addManual,
];

export interface Program {
  readonly command: Command;
  /** What the command that ran wants to exit with; 0 unless it said otherwise. */
  exitCode(): number;
}

export function buildProgram(terminal: Terminal): Program {
  let code = 0;
  const command = new Command('guise');
  const context: Context = {
    terminal,
    configFile: () => command.opts<{ config?: string }>().config,
    exitWith: (wanted) => {
      code = wanted;
    },
  };
  command
    .description(
      'Runs every PHP site of a shared server under its own Unix user, behind Apache, nginx or lighttpd.',
    )
    .version(version, '-V, --version', 'print the version')
    .option('-c, --config <file>', `the main configuration (default: $GUISE_CONFIG or ${defaultConfigFile})`)
    // For subcommands too, which inherit what is set before they are made.
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .showSuggestionAfterError(true)
    .exitOverride()
    .addHelpText(
      'after',
      `
Start here:
  guise site add example.com --user alice --root /home/alice/www
  guise web apache example.com              what to tell Apache (or: nginx, lighttpd)
  guise check                               is everything right?
  guise doctor                              what will bite?
  guise status                              what is it doing?

"guise COMMAND --help" says more about each. Exit codes: docs/reference/exit-codes.md.`,
    );
  for (const add of commands) add(command, context);
  return { command, exitCode: () => code };
}
