/** Servers with very many sites: guise with a file for each, php-fpm with a pool for each. */

import { writeFileSync } from 'node:fs';
import { readConfig } from '../../src/config/config.js';
import { ask } from '../../src/control/client.js';
import { startService } from '../../src/quickstart/command.js';
import { guiseProgram, layOut } from '../../src/quickstart/daemon.js';
import { until } from '../../src/quickstart/until.js';
import { makeKey } from '../../src/site/key.js';
import { type Accounted, guiseDaemon, phpManager } from './accounts.js';
import type { Land } from './density.js';
import { startFpm } from './php.js';
import { askTarget, paramsOf, type Target } from './turn.js';

export interface Crowd {
  readonly accounts: readonly Accounted[];
  readonly startMs: number;
  /** Each adds one more of the land's further sites, and is done when it is served. */
  readonly adds: readonly (() => Promise<void>)[];
  /** Where the sites are asked that are there from the start. */
  readonly targets: readonly Target[];
}

export async function crowdOfGuise(land: Land): Promise<Crowd> {
  const { lab, directory, names, further } = land;
  const router = await lab.users.get('router');
  const toml = `[router]\nuser = "${router.name}"\nweb_users = ["www-data", "root"]\n[limits]\nmax_workers = 1000\n`;
  const instance = layOut(`${directory}/guise`, toml);
  const keys = new Map([...names, ...further].map((name) => [name, makeKey()]));
  const table = (name: string) => ({
    name,
    root: land.root(name),
    user: lab.user.name,
    key: keys.get(name) ?? '',
  });
  for (const name of names) {
    const lines = Object.entries(table(name)).map(([key, value]) => `${key} = "${value}"`);
    writeFileSync(`${instance.sites}/${name}.toml`, `${lines.join('\n')}\n`, { mode: 0o600 });
  }
  const config = readConfig(instance.config);
  const started = performance.now();
  const args = [guiseProgram, 'daemon', '--config', instance.config];
  const service = startService(process.execPath, args, `${directory}/daemon.out`, directory);
  lab.undo.push('stop guise', () => service.stop('SIGTERM', 60_000));
  const answers = (): Promise<boolean> =>
    ask(config, { method: 'GET', path: '/ping' }).then(
      () => true,
      () => false,
    );
  await until('guise to answer a ping', answers, 60_000);
  const startMs = performance.now() - started;
  const socket = `${instance.run}/guise.sock`;
  const targets = names.map((name) => ({ socket, params: paramsOf(name, land.root(name), keys.get(name)) }));
  return {
    accounts: [guiseDaemon(service.pid, router.uid)],
    startMs,
    adds: further.map((name) => async () => {
      // Key and all: what `guise site add` sends.
      await ask(config, { method: 'POST', path: '/sites', body: table(name) });
    }),
    targets,
  };
}

export async function crowdOfFpm(land: Land): Promise<Crowd> {
  const { lab, directory } = land;
  // One more: every reload is of all pools, so there is nothing to be had from several.
  const names = [...land.names, ...land.further.slice(0, 1)];
  const pools = names.map((name) => ({
    name,
    socket: `${directory}/${name}.sock`,
    pm: 'pm = ondemand\npm.max_children = 8\npm.process_idle_timeout = 60s',
  }));
  const started = performance.now();
  const fpm = await startFpm(lab, directory, pools.slice(0, -1));
  const startMs = performance.now() - started;
  const targets = names.map((name, n) => ({
    socket: pools[n]?.socket ?? '',
    params: paramsOf(name, land.root(name)),
  }));
  const last = targets.at(-1) as Target;
  return {
    accounts: [phpManager(fpm.pid)],
    startMs,
    adds: [
      async () => {
        fpm.configure(pools);
        process.kill(fpm.pid, 'SIGUSR2');
        await until(
          'the new pool to answer',
          () =>
            askTarget(last).then(
              () => true,
              () => false,
            ),
          60_000,
        );
      },
    ],
    targets: targets.slice(0, -1),
  };
}
