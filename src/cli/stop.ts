import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Config, readClientConfig } from '../config/config.js';
import { errorCode } from '../config/toml-file.js';
import type { PingReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { GuiseError } from '../error.js';
import type { Context } from './context.js';
import { showProgress } from './progress.js';
import { json } from './terminal.js';

export function addStop(parent: Command, context: Context): void {
  parent
    .command('stop')
    .description('Stop the daemon: running requests finish, new ones are refused; returns when it has ended.')
    .option('--no-wait', 'return at once')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Running requests get as long as drain_timeout under [limits] says. Ends with 3 when no daemon is running.`,
    )
    .action(async ({ wait, ...options }: { wait: boolean; json?: boolean }) => {
      const config = readClientConfig(context.configFile());
      const { pid } = await ask<PingReport>(config, { method: 'POST', path: '/stop' });
      if (wait) await ended(config, pid);
      const text = wait ? 'stopped' : `stopping: pid ${pid}`;
      context.terminal.out(options.json ? json({ pid, ended: wait }) : text);
    });
}

async function ended(config: Config, pid: number): Promise<void> {
  // The daemon keeps its own limit; a little more is for ending processes that resist.
  const deadline = Date.now() + config.limits.drainTimeoutMs + 20_000;
  const { progress, done } = showProgress();
  try {
    while (isAlive(pid)) {
      progress('running requests finish');
      await stillAlive(config, pid, deadline);
    }
  } finally {
    done();
  }
}

async function stillAlive(config: Config, pid: number, deadline: number): Promise<void> {
  if (Date.now() > deadline) {
    throw new GuiseError('SYSCALL_FAILED', `the daemon (pid ${pid}) has not ended in time`, {
      remedy: `look at ${config.paths.log}/guise.log; at last: kill -9 ${pid}`,
    });
  }
  await delay(50);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return errorCode(thrown) === 'EPERM';
  }
}
