import { Argument, type Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { completionScript, type Shell, shells } from './completion-shells.js';
import { places } from './completion-tree.js';
import type { Context } from './context.js';

export function addCompletion(parent: Command, context: Context): void {
  parent
    .command('completion')
    .description('Print the completion of commands, options and sites for a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
Names of sites are those of the files in the directory of sites that the configuration names.

Examples:
  guise completion bash > /etc/bash_completion.d/guise
  guise completion zsh > /usr/local/share/zsh/site-functions/_guise
  guise completion fish > /etc/fish/completions/guise.fish`,
    )
    .action((shell: Shell) => {
      const { sites } = readClientConfig(context.configFile()).paths;
      context.terminal.out(completionScript(shell, places(parent), sites));
    });
}
