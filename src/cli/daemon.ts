import type { Command } from 'commander';
import { type Config, readConfig } from '../config/config.js';
import { GuiseError } from '../error.js';
import type { Context } from './context.js';

export function addDaemon(parent: Command, context: Context): void {
  parent
    .command('daemon')
    .description('Run guise in the foreground, as a service manager wants it.')
    .addHelpText(
      'after',
      `
Needs root, because it starts every site as that site's user. Ends with 6 when another daemon runs on the same
directory. SIGTERM stops it as "guise stop" does, SIGHUP reloads it as "guise reload" does.

Examples:
  guise daemon
  guise daemon --config ./guise.toml        a whole instance in one directory`,
    )
    .action(async () => {
      const config = readConfig(context.configFile());
      if (process.geteuid?.() !== 0) {
        throw new GuiseError(
          'NOT_PERMITTED',
          'the daemon starts sites as their users, which only root can do',
          {
            remedy: 'run this as root',
          },
        );
      }
      context.exitWith(await run(config));
    });
}

/** Loaded only here, so that the other commands start fast. */
async function run(config: Config): Promise<number> {
  const { runMaster } = await import('../master/main.js');
  return runMaster(config);
}
