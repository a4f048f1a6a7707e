/** The tree of commands as shell completion needs it, read from commander: nothing is listed twice. Pure. */

import type { Command } from 'commander';

export interface Choice {
  /** What is typed: a command, or an option with its dashes. */
  readonly word: string;
  readonly about: string;
}

export interface Place {
  /** The words up to here: `guise site add`. */
  readonly path: string;
  readonly commands: readonly Choice[];
  readonly options: readonly Choice[];
  /** Whether the name of a site that there is may follow. */
  readonly takesSite: boolean;
}

/** Options whose value is the name of a site that there is. */
export const siteOption = '--site';

/** Of options and arguments that take something else: a new name, or a file, which the shell completes by itself. */
const newNames: ReadonlySet<string> = new Set(['guise site add']);
const siteArguments: ReadonlySet<string> = new Set(['name', 'site']);

export function places(program: Command, before: readonly string[] = []): Place[] {
  const words = [...before, program.name()];
  const path = words.join(' ');
  const own = program.options.flatMap((option) =>
    [option.long, option.short].flatMap((word) =>
      word === undefined ? [] : [{ word, about: option.description }],
    ),
  );
  const everywhere = [
    { word: '--config', about: 'the main configuration' },
    { word: '--help', about: 'say more about this command' },
  ];
  const options = [...own, ...everywhere.filter(({ word }) => !own.some((one) => one.word === word))];
  const here: Place = {
    path,
    commands: program.commands.map((command) => ({ word: command.name(), about: command.description() })),
    options,
    takesSite:
      !newNames.has(path) &&
      program.registeredArguments.some((argument) => siteArguments.has(argument.name())),
  };
  return [here, ...program.commands.flatMap((command) => places(command, words))];
}
