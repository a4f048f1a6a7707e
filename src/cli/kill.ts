import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { ask, requestsPath } from '../control/client.js';
import type { LiveRequest } from '../router/live-requests.js';
import type { Context } from './context.js';
import { json } from './terminal.js';

export function addKill(parent: Command, context: Context): void {
  parent
    .command('kill <request-id>')
    .description(
      'End one request that waits or runs: its worker is killed, the visitor gets a page that says 502.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
"guise requests" shows the ids. The user of a site can end his own requests, root any. Who did it stands in guise.log and
in the ledger. Ends with 7 where there is no such request (any more).`,
    )
    .action(async (id: string, options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const { killed } = await ask<{ killed: LiveRequest }>(config, {
        method: 'POST',
        path: `/kill/${encodeURIComponent(id)}`,
        socketPath: requestsPath(config.paths.run),
      });
      const { site, state, ms, pid } = killed;
      const what = state === 'running' ? `ran for ${ms} ms in process ${pid}` : `waited for ${ms} ms`;
      context.terminal.out(
        options.json ? json({ killed }) : `killed: request ${id} of ${site}, which ${what}`,
      );
    });
}
