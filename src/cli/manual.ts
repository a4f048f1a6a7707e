import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import type { Context } from './context.js';
import { commandsPage } from './manual-commands.js';
import { configPage, sitePage } from './manual-keys.js';

const pages = {
  guise: { section: 8, make: commandsPage },
  'guise.toml': { section: 5, make: configPage },
  'guise-site': { section: 5, make: sitePage },
} as const;

type Page = keyof typeof pages;

export function addManual(parent: Command, context: Context): void {
  parent
    .command('manual')
    .description('Print a manual page, or install all of them.')
    .addArgument(
      new Argument('[page]', 'the page').choices(Object.keys(pages)).default('guise' satisfies Page),
    )
    .option('--install <directory>', 'write all pages below this directory, where man(1) finds them')
    .addHelpText(
      'after',
      `
Examples:
  guise manual | man -l -
  guise manual guise-site | man -l -
  guise manual --install /usr/local/share/man`,
    )
    .action((page: Page, { install }: { install?: string }) => {
      if (install === undefined) context.terminal.out(pages[page].make(parent).trimEnd());
      else for (const file of installAll(parent, install)) context.terminal.out(`written: ${file}`);
    });
}

function installAll(parent: Command, directory: string): string[] {
  return Object.entries(pages).map(([name, { section, make }]) => {
    const folder = join(directory, `man${section}`);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${name}.${section}`);
    writeFileSync(file, make(parent));
    return file;
  });
}
