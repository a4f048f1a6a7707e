import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { ask } from '../control/client.js';
import type { Context } from './context.js';
import { json } from './terminal.js';

export function addReopen(parent: Command, context: Context): void {
  parent
    .command('reopen')
    .description('Make the daemon open its log files again, after something has renamed them.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
For logrotate and the like; SIGUSR1 to the daemon does the same. Logs of sites need neither: guise rotates them itself.

Example, as postrotate of logrotate:
  guise reopen`,
    )
    .action(async (options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      await ask(config, { method: 'POST', path: '/reopen' });
      context.terminal.out(options.json ? json({ reopened: true }) : 'logs reopened');
    });
}
