/** An idle instance does nothing: no PHP process, and no processor time for anybody. */

import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { cpuTicks, switches } from '../harness/proc.js';
import { journey } from '../harness/world.js';

/** Long enough that even a slow poll, once a second, would show. */
const windowMs = 5000;

await journey(
  async (t, world) => {
    const { guise } = world;
    const site = await guise.addSite({ name: 'idle.test', user: 'alice' });
    await guise.addSite({ name: 'never.test', user: 'bob', args: ['--mode', 'per-request'] });
    const apache = await apacheFor(world, [site]);

    const quiet = async (): Promise<{ ticks: number; switches: number; commands: string[] }> => {
      const all = guise.processes();
      const sum = (of: (pid: number) => number): number =>
        all.reduce((total, entry) => total + of(entry.pid), 0);
      const before = { ticks: sum(cpuTicks), switches: sum(switches) };
      await delay(windowMs);
      const commands = all.map((entry) => entry.command);
      return { ticks: sum(cpuTicks) - before.ticks, switches: sum(switches) - before.switches, commands };
    };

    await t.test('before anybody asked', async (t) => {
      await delay(500);
      const { ticks, switches: wakeUps, commands } = await quiet();
      t.equal(commands.length, 2, `master and router only: ${commands.join(' | ')}`);
      t.ok(ticks <= 1, `${ticks} ticks of processor time`);
      t.ok(wakeUps <= 10, `woke up ${wakeUps} times`);
    });

    await t.test('with idle workers', async (t) => {
      t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
      t.ok(guise.processesOf(site.user).length > 0);
    });

    await t.test('after idle_timeout the PHP processes are gone', async (t) => {
      await until('no PHP process', () => guise.processesOf(site.user).length === 0, 30_000);
      t.equal((await guise.siteStatus(site.name)).workers.total, 0);
      await delay(500);
      const { ticks, switches: wakeUps, commands } = await quiet();
      t.equal(commands.length, 2, `master and router only: ${commands.join(' | ')}`);
      t.ok(ticks <= 1, `${ticks} ticks of processor time`);
      t.ok(wakeUps <= 10, `woke up ${wakeUps} times`);
    });

    await t.test('and come back', async (t) => {
      t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    });
  },
  { defaults: 'idle_timeout = "1s"' },
);
