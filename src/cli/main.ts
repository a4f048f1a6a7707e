/** Runs one command line and turns what happened into an exit code. Here alone are errors shown. */

import { CommanderError } from 'commander';
import { GuiseError, messageOf } from '../error.js';
import { exitCodeOf, exitCodes } from './exit.js';
import { wantsColour } from './paint.js';
import { buildProgram } from './program.js';
import type { Terminal } from './terminal.js';

const standardTerminal: Terminal = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  isColoured: wantsColour(process.stdout.isTTY, process.env),
  ...(process.stdout.isTTY ? { rows: process.stdout.rows } : {}),
};

/** Runs the command line (without `node` and the script) and answers with the exit code. Never throws. */
export async function main(args: readonly string[], terminal: Terminal = standardTerminal): Promise<number> {
  const program = buildProgram(terminal);
  try {
    await program.command.parseAsync([...args], { from: 'user' });
    return program.exitCode();
  } catch (thrown) {
    return report(thrown, terminal);
  }
}

function report(thrown: unknown, terminal: Terminal): number {
  // Commander has printed its own words by then; help and version come this way too, with code 0.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.OK : exitCodes.USAGE;
  if (thrown instanceof GuiseError) {
    terminal.err(`guise: ${thrown.message}`);
    if (thrown.detail.remedy !== undefined) terminal.err(`  remedy: ${thrown.detail.remedy}`);
    // A daemon of another version may send codes that this one does not know.
    return Object.hasOwn(exitCodeOf, thrown.code) ? exitCodeOf[thrown.code] : exitCodes.BUG;
  }
  terminal.err(`guise: this is a mistake in guise itself: ${messageOf(thrown)}`);
  if (thrown instanceof Error && thrown.stack !== undefined) terminal.err(thrown.stack);
  return exitCodes.BUG;
}
