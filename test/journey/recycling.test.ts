/** Workers that have become too large or too old are replaced: one after the other, and no request notices. */

import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

/** Large while it runs, and small afterwards. */
const peak = `<?php
$all = str_repeat('x', 60 << 20); usleep(1500000); unset($all); echo getmypid();`;

const lanes = {
  'routed.test': [],
  'direct.test': ['socket=own', 'dispatch=direct'],
} as const;

await journey(async (t, world) => {
  const { guise } = world;
  const sites: Site[] = [];
  for (const [name, more] of Object.entries(lanes)) {
    const args = ['--set', 'max_workers=3', 'idle_timeout=60s', ...more];
    sites.push(await guise.addSite({ name, user: name.slice(0, 6), args }));
  }
  const apache = await apacheFor(world, sites);
  const pids = async (site: Site): Promise<readonly number[]> =>
    (await guise.siteStatus(site.name)).workerPids;
  const isReplaced = (site: Site, reason: string): boolean =>
    guise
      .log()
      .some((line) => line.msg === 'worker replaced' && line.site === site.name && line.reason === reason);
  /** Keeps three requests going until it is told to stop; all must be answered. */
  const load = (site: Site): { stop(): Promise<number> } => {
    let isOver = false;
    const all = Promise.all(
      Array.from({ length: 3 }, async () => {
        let count = 0;
        for (; !isOver; count++) {
          const { status } = await get(apache.at(site), '/slow.php?ms=20');
          if (status !== 200) throw new Error(`${site.name}: ${status}`);
        }
        return count;
      }),
    );
    return {
      stop: async () => {
        isOver = true;
        return (await all).reduce((sum, count) => sum + count, 0);
      },
    };
  };

  for (const site of sites) {
    await t.test(`${site.name}: too old`, async (t) => {
      await guise.says('site', 'set', site.name, '--set', 'max_age=1500ms');
      const going = load(site);
      await until('three workers', async () => (await pids(site)).length === 3);
      const before = await pids(site);
      let least = 3;
      await until('others', async () => {
        const now = await pids(site);
        least = Math.min(least, now.length);
        return now.length > 0 && !now.some((pid) => before.includes(pid));
      });
      t.ok((await going.stop()) > 0, 'no request was lost');
      t.ok(least >= 1, 'never all of them at once');
      t.ok(isReplaced(site, 'age'));
      await guise.says('site', 'set', site.name, '--unset', 'max_age');
    });

    await t.test(`${site.name}: too large`, async (t) => {
      await guise.says('site', 'set', site.name, '--set', 'max_memory=40M', 'php_ini.set.memory_limit=256M');
      writeAs(site, 'peak.php', peak);
      t.equal((await get(apache.at(site), '/peak.php')).status, 200);
      t.notOk(isReplaced(site, 'memory'), 'one that was large for a moment stays');
      await guise.says('site', 'set', site.name, '--set', 'max_memory=1M');
      const { status } = await get(apache.at(site), '/whoami.php');
      t.equal(status, 200);
      const [first = 0] = await pids(site);
      await until('its end', async () => !(await pids(site)).includes(first));
      t.ok(isReplaced(site, 'memory'));
      t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    });
  }
});
