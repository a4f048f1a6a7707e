/** guise(8): made of the tree of commands, so that it says what they are. */

import type { Command } from 'commander';
import { version } from '../config/version.js';
import { exitCodes } from './exit.js';
import { heading, paragraph, subheading, tagged, text, title } from './manual-roff.js';

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  OK: 'Done.',
  PROBLEMS: 'The command ran, and found something wrong.',
  USAGE: 'The command line or the request makes no sense.',
  NOT_RUNNING: 'There is no daemon.',
  NOT_PERMITTED: 'The caller may not do that.',
  CONFIG: 'guise.toml is wrong or cannot be read.',
  ALREADY_RUNNING: 'There is a daemon already.',
  SITE: 'A site is wrong, unknown, or there already.',
  SYSTEM: 'The system did not do what it was asked for.',
  BUG: 'A fault of guise itself.',
};

/** @param root the command without arguments, with all of its subcommands */
export function commandsPage(root: Command): string {
  return [
    title('guise', 8, version),
    heading('name'),
    'guise \\- runs every PHP site of a shared server under its own Unix user',
    heading('synopsis'),
    '.B guise\n.RB [ \\-\\-config\n.IR FILE ]\n.I COMMAND\n.RI [ ARGUMENT ...]',
    heading('description'),
    paragraph(root.description()).replace('.PP\n', ''),
    heading('options'),
    ...options(root),
    heading('commands'),
    ...leaves(root, 'guise').flatMap(commandSection),
    heading('exit status'),
    ...Object.entries(exitCodes).map(([name, code]) =>
      tagged(String(code), exitMeanings[name as keyof typeof exitCodes]),
    ),
    heading('files'),
    tagged('/etc/guise/guise.toml', 'The main configuration, guise.toml(5).'),
    tagged('/etc/guise/sites.d/NAME.toml', 'A site, guise-site(5).'),
    heading('see also'),
    '.BR guise.toml (5),\n.BR guise\\-site (5)',
    '',
  ].join('\n');
}

interface Leaf {
  readonly words: string;
  readonly command: Command;
}

function leaves(command: Command, words: string): Leaf[] {
  return command.commands.flatMap((inner) => {
    const name = `${words} ${inner.name()}`;
    return inner.commands.length > 0 ? leaves(inner, name) : [{ words: name, command: inner }];
  });
}

function commandSection({ words, command }: Leaf): string[] {
  const args = command.registeredArguments.map((arg) => {
    const name = arg.variadic ? `${arg.name()}...` : arg.name();
    return arg.required ? `<${name}>` : `[${name}]`;
  });
  return [
    subheading([words, ...args].join(' ')),
    text(command.description()),
    ...command.registeredArguments
      .filter((arg) => arg.description !== '')
      .map((arg) => tagged(arg.name(), arg.description)),
    ...options(command),
  ];
}

function options(command: Command): string[] {
  return command.options
    .filter((option) => !option.hidden)
    .map((option) => tagged(option.flags, option.description));
}
