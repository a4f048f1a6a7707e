import type { Command } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import { discardState } from '../master/site-state.js';
import { removeSite } from '../site/write.js';
import type { Context } from './context.js';
import { notApplied, throughDaemon } from './site-store.js';
import { json } from './terminal.js';

interface Removed {
  readonly name: string;
  readonly file: string;
}

/** Its temporary files and sessions are emptied by the next daemon. */
function removeAlone(config: Config, name: string): Removed {
  const file = removeSite(config, name);
  discardState(config.paths.state, name);
  return { name, file };
}

export function addSiteRemove(parent: Command, context: Context): void {
  parent
    .command('remove <name>')
    .description(
      'Remove a site: new requests are refused at once, running ones finish. Its documents and logs stay.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nRemoves the file of the site, also of a parked one, then its sessions and temporary files. No other site is touched.',
    )
    .action(async (name: string, options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const { result, applied } = await throughDaemon<Removed>(
        config,
        { method: 'DELETE', path: `/sites/${encodeURIComponent(name)}` },
        () => removeAlone(config, name),
      );
      if (!applied) context.terminal.err(notApplied);
      context.terminal.out(
        options.json ? json({ ...result, applied }) : `removed ${name}, file ${result.file}`,
      );
    });
}
