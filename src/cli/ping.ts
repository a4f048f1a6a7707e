import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import type { PingReport } from '../control/api.js';
import { ask } from '../control/client.js';
import type { Context } from './context.js';
import { json, span } from './terminal.js';

export function addPing(parent: Command, context: Context): void {
  parent
    .command('ping')
    .description('Ask whether the daemon is alive.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  guise ping || systemctl restart guise')
    .action(async (options: { json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const report = await ask<PingReport>(config, { method: 'GET', path: '/ping', timeoutMs: 5000 });
      const { version, pid, uptimeMs } = report;
      context.terminal.out(
        options.json ? json(report) : `guise ${version} is alive: pid ${pid}, up ${span(uptimeMs)}`,
      );
    });
}
