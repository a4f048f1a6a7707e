/** What every command gets: where to write, which configuration is meant, and how to report a code that is not 0. */

import type { Command } from 'commander';
import type { Terminal } from './terminal.js';

export interface Context {
  readonly terminal: Terminal;
  /** The file after `--config`, wherever it stood on the command line. */
  configFile(): string | undefined;
  /** Sets the exit code of a command that has done its work and yet did not succeed. */
  exitWith(code: number): void;
}

/** Adds one command (or a group of them) to the program. */
export type AddCommand = (parent: Command, context: Context) => void;
