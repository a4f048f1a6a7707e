/** An idle instance does nothing: no PHP process, and no processor time for anybody. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
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

    /** What master, router and ledger did within a window. */
    const watch = async (): Promise<{ ticks: number; wakeUps: number; commands: string[] }> => {
      const all = guise.processes();
      const sum = (of: (pid: number) => number): number =>
        all.reduce((total, entry) => total + of(entry.pid), 0);
      const before = { ticks: sum(cpuTicks), wakeUps: sum(switches) };
      await delay(windowMs);
      const commands = all.map((entry) => entry.command);
      return { ticks: sum(cpuTicks) - before.ticks, wakeUps: sum(switches) - before.wakeUps, commands };
    };

    /** V8 tidies up once, some seconds after the last work; whoever polls is awake in every window. */
    const comesToRest = async (t: Test): Promise<void> => {
      let seen = await watch();
      for (let window = 1; window < 4 && (seen.ticks > 1 || seen.wakeUps > 10); window += 1)
        seen = await watch();
      t.equal(seen.commands.length, 3, `master, router and ledger only: ${seen.commands.join(' | ')}`);
      t.ok(seen.ticks <= 1, `${seen.ticks} ticks of processor time in ${windowMs} ms`);
      t.ok(seen.wakeUps <= 10, `woke up ${seen.wakeUps} times`);
    };

    await t.test('before anybody asked', async (t) => {
      await comesToRest(t);
    });

    await t.test('with idle workers', async (t) => {
      t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
      t.ok(guise.processesOf(site.user).length > 0);
    });

    await t.test('after idle_timeout the PHP processes are gone', async (t) => {
      await until('no PHP process', () => guise.processesOf(site.user).length === 0, 30_000);
      t.equal((await guise.siteStatus(site.name)).workers.total, 0);
      await comesToRest(t);
    });

    await t.test('and come back', async (t) => {
      t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    });
  },
  { defaults: 'idle_timeout = "1s"' },
);
