/** A machine with room for four workers, and sites that want more: nobody is shut out, and nothing is kept for nobody. */

import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

const room = 4;

await journey(
  async (t, world) => {
    const { guise } = world;
    const sites: Site[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
      sites.push(await guise.addSite({ name: `${name}.test`, user: name }));
    const direct = await guise.addSite({
      name: 'direct.test',
      user: 'direct',
      args: ['--set', 'socket=own', 'dispatch=direct', `max_workers=${room}`],
    });
    const [a, b] = sites as [Site, Site];
    const apache = await apacheFor(world, [...sites, direct]);
    const workersOf = async (site: Site): Promise<number> =>
      (await guise.siteStatus(site.name)).workers.total;
    /** Asks so many times at once; how long each took, in ms. */
    const ask = (site: Site, count: number, ms = 50): Promise<number[]> =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const begunMs = performance.now();
          const reply = await get(apache.at(site), `/slow.php?ms=${ms}`);
          if (reply.status !== 200) throw new Error(`${site.name}: ${reply.status}`);
          return performance.now() - begunMs;
        }),
      );

    for (const quiet of [a, direct]) {
      await t.test(`idle workers of ${quiet.name} go when another site needs room`, async (t) => {
        await ask(quiet, room, 300);
        await until('its workers', async () => (await workersOf(quiet)) === room);
        await ask(b, room, 300);
        await until('their end', async () => (await workersOf(quiet)) <= 1);
        t.ok((await guise.status()).sites.reduce((sum, { workers }) => sum + workers.total, 0) <= room);
        await guise.says('site', 'restart', b.name);
        await guise.says('site', 'restart', quiet.name);
      });
    }

    for (const busy of [a, direct]) {
      await t.test(`${busy.name} is flooded, another one has one visitor`, async (t) => {
        let isOver = false;
        const flood = Promise.all(
          Array.from({ length: 40 }, async () => {
            const times: number[] = [];
            while (!isOver) times.push(...(await ask(busy, 1)));
            return times;
          }),
        );
        await until('all room to be taken', async () => (await workersOf(busy)) === room);
        const single: number[] = [];
        for (let i = 0; i < 20; i++) single.push(...(await ask(b, 1)));
        isOver = true;
        const flooded = (await flood).flat();
        const ratio = mean(single) / mean(flooded);
        t.ok(ratio < 0.6, `${mean(single).toFixed(0)} ms beside ${mean(flooded).toFixed(0)} ms`);
      });
    }

    await t.test('more sites than workers: each has its turns', async (t) => {
      const served = sites.map(() => 0);
      let isOver = false;
      const all = Promise.all(
        sites.map(async (site, i) => {
          while (!isOver) {
            await ask(site, 2);
            served[i] = (served[i] ?? 0) + 2;
          }
        }),
      );
      await until('everybody to be served', () => served.every((count) => count >= 8));
      isOver = true;
      await all;
      t.pass(`served: ${served.join(' ')}`);
    });
  },
  { limits: `max_workers = ${room}` },
);

function mean(times: readonly number[]): number {
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}
