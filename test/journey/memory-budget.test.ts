/** A machine that lends its sites little memory, and a site whose scripts take much: they wait instead of filling it. */

import { readFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

const mb = 1024 ** 2;
const budgetMb = 170;
const hogMb = 50;
/** What a worker of this script takes, so many of which have room. */
const fitting = Math.floor(budgetMb / hogMb);

const hog = `<?php $all = str_repeat('x', ${hogMb} << 20); usleep(150000); echo strlen($all);`;

/** PSS, proc_pid_smaps(5), in bytes; 0 of a process that has ended. */
function memoryOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

await journey(
  async (t, world) => {
    const { guise } = world;
    const lanes = { 'routed.test': [], 'direct.test': ['socket=own', 'dispatch=direct'] } as const;
    const large: Site[] = [];
    for (const [name, more] of Object.entries(lanes)) {
      const settings = [
        'max_workers=12',
        'idle_timeout=60s',
        'queue_length=100',
        'queue_timeout=60s',
        ...more,
      ];
      const site = await guise.addSite({ name, user: name.slice(0, 6), args: ['--set', ...settings] });
      writeAs(site, 'hog.php', hog);
      large.push(site);
    }
    const small = await guise.addSite({ name: 'small.test', user: 'small' });
    const apache = await apacheFor(world, [...large, small]);
    const workersOf = async (name: string): Promise<readonly number[]> =>
      (await guise.siteStatus(name)).workerPids;
    const taken = async (site: Site): Promise<number> =>
      [...(await workersOf(site.name)), ...(await workersOf(small.name))]
        .map(memoryOf)
        .reduce((sum, bytes) => sum + bytes, 0);

    for (const site of large) {
      let isOver = false;
      const visitors = Array.from({ length: 12 }, async () => {
        const seen: number[] = [];
        while (!isOver) {
          const reply = await get(apache.at(site), '/hog.php');
          seen.push(reply.status === 200 && reply.text() === String(hogMb * mb) ? 200 : reply.status);
        }
        return seen;
      });

      await t.test(
        `${site.name}: what a worker takes is learnt, and no more are kept than have room`,
        async (t) => {
          await until('it to be known', async () => (await workersOf(site.name)).length === fitting, 30_000);
          const most: number[] = [];
          for (let look = 0; look < 8; look++) most.push(await taken(site));
          t.ok(Math.max(...most) <= budgetMb * mb, `${Math.max(...most) / mb} of ${budgetMb} MiB`);
          t.equal((await workersOf(site.name)).length, fitting);
        },
      );

      await t.test(`${site.name}: another site has its turn`, async (t) => {
        for (let n = 0; n < 10; n++) t.equal((await get(apache.at(small), '/index.php')).status, 200);
      });

      await t.test(`${site.name}: guise status says what is taken of what there is`, async (t) => {
        const text = await guise.says('status');
        t.match(text, new RegExp(`of 40 workers, 1[0-9]{2} MB of ${budgetMb} MB`), text);
        t.match(text, `${site.name}: it may have 12 workers, and 3 workers fit your memory at 5`, text);
        t.notMatch(text, /lost to a crash/, 'a worker that gives up its room has ended its request');
      });

      await t.test(`${site.name}: everybody who waited is served`, async (t) => {
        isOver = true;
        const seen = (await Promise.all(visitors)).flat();
        t.same(new Set(seen), new Set([200]), `${seen.length} visitors`);
      });
      await guise.says('site', 'restart', site.name);
    }
  },
  { limits: `max_workers = 40\nmemory = "${budgetMb}M"` },
);
