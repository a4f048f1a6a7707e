/** As many headers, and as long ones, as the web servers let through. */

import { get, type Reply } from '../harness/http.js';
import type { Seen } from '../harness/php-pages.js';
import { arena, type Web } from './arena.js';

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const router = await instance.routerPid();
    const flood = (web: Web, count: number, length: number): Promise<Reply> =>
      get(web.at(alice), '/server.php', {
        headers: Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 'x'.repeat(length)])),
      });

    await t.test('php-fpm behind Apache takes more than half a megabyte', async (t) => {
      const [apache] = fpm.webs;
      if (apache === undefined) throw new Error('there is no Apache');
      const reply = await flood(apache, 90, 8000);
      t.equal(reply.status, 200);
    });

    for (const web of guise.webs) {
      await t.test(`guise behind ${web.name}: an answer to each, and never a dead worker`, async (t) => {
        for (const [count, length] of [
          [80, 50],
          [90, 1000],
          [90, 2000],
          [90, 2500],
          [90, 8000],
        ] as const) {
          const reply = await flood(web, count, length);
          t.ok([200, 400, 431].includes(reply.status), `${count} of ${length} bytes: ${reply.status}`);
          if (reply.status !== 200) continue;
          const { server } = reply.json() as Seen;
          t.equal(
            Object.keys(server).filter((name) => /^HTTP_X_\d+$/.test(name)).length,
            count,
            'all arrive',
          );
        }
      });
    }

    await t.test('guise: a header sent a thousand times', async (t) => {
      for (const web of guise.webs) {
        const reply = await get(web.at(alice), '/index.php', { headers: { 'x-many': Array(95).fill('y') } });
        t.equal(reply.status, 200, web.name);
      }
    });

    await t.test('guise: nobody else has noticed', async (t) => {
      t.equal(await instance.routerPid(), router);
      t.equal((await instance.siteStatus(alice.name)).crashed, 0);
      t.equal((await get(guise.apache(bob), '/index.php')).text(), `front page of ${bob.name}`);
    });
  },
  { nginx: true },
);
