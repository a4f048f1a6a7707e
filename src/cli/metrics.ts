import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import type { Context } from './context.js';

export function addMetrics(parent: Command, context: Context): void {
  parent
    .command('metrics')
    .description('Print metrics of the daemon and of every site that has had requests, as OpenMetrics.')
    .option('--prometheus', 'print the older text format of Prometheus')
    .addHelpText(
      'after',
      `
Every metric is explained in docs/reference/metrics.md.

Examples:
  guise metrics
  guise metrics --prometheus > /var/lib/prometheus/node-exporter/guise.prom`,
    )
    .action(async ({ prometheus }: { prometheus?: boolean }) => {
      // Not at the start of every command.
      const { metricsText } = await import('../metrics/exposition.js');
      const config = readClientConfig(context.configFile());
      const report = await ask<StatusReport>(config, { method: 'GET', path: '/status' });
      const text = await metricsText(report, prometheus === true ? 'prometheus' : 'openmetrics');
      context.terminal.out(text.trimEnd());
    });
}
