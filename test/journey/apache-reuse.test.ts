/** `enablereuse=on`: Apache keeps dozens of connections, and none of them occupies a PHP process. */

import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { formNamed, inForm } from '../harness/apache-forms.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const sites = [
    await guise.addSite({ name: 'kept-a.test', user: 'alice', args: ['--max-workers', '2'] }),
    await guise.addSite({ name: 'kept-b.test', user: 'bob', args: ['--max-workers', '2'] }),
    await guise.addSite({
      name: 'own.test',
      user: 'carol',
      args: ['--max-workers', '2', '--set', 'socket=own'],
    }),
  ];
  const reuse = formNamed('handler-reuse');
  const apache = await apacheFor(world, sites, {
    inside: (site) => {
      const own = `${guise.instance.run}/sites/${site.name}.sock`;
      return inForm(reuse, guise, site, site.name === 'own.test' ? own : guise.socket);
    },
  });

  await t.test('many requests at once, again and again, each as the right user', async (t) => {
    for (let round = 0; round < 4; round += 1) {
      const asked = sites.flatMap((site) => Array.from({ length: 15 }, () => site));
      const replies = await Promise.all(asked.map((site) => get(apache.at(site), '/whoami.php')));
      for (const [at, reply] of replies.entries()) {
        t.equal(reply.status, 200);
        t.equal((reply.json() as Whoami).uid, asked[at]?.user.uid);
      }
    }
  });

  await t.test('nobody is busy now, however many connections are kept', async (t) => {
    for (const site of sites) {
      await until('no busy worker', async () => (await guise.siteStatus(site.name)).workers.busy === 0);
    }
    const started = performance.now();
    for (const site of sites) t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    t.ok(performance.now() - started < 5000, 'and everybody is served at once');
  });

  await t.test('bodies and large answers over kept connections', async (t) => {
    for (const site of sites) {
      for (let n = 0; n < 5; n += 1) {
        const sent = await get(apache.at(site), '/body.php', { body: Buffer.alloc(300_000 + n) });
        t.match(sent.json(), { length: 300_000 + n });
        const big = await get(apache.at(site), `/big.php?bytes=${1_000_000 + n}`);
        t.equal(big.body.length, 1_000_000 + n);
      }
    }
  });

  await apache.stop();
});
