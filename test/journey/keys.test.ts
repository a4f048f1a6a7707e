/** A site's key: asked for, never shown to PHP, and changed while the site runs. */

import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'keys.test', user: 'alice' });
  const old = await apacheFor(world, [site]);
  const status = async (apache: typeof old): Promise<number> =>
    (await get(apache.at(site), '/whoami.php')).status;

  t.equal(await status(old), 200);
  const before = (await guise.siteStatus(site.name)).workerPids;

  await t.test('rotation: the old key and the new one are accepted, and no worker ends', async (t) => {
    await guise.says('site', 'set', site.name, '--rotate-key', '--grace', '1h');
    t.equal(await status(old), 200, 'the old one');
    const fresh = await apacheFor(world, [site]);
    t.equal(await status(fresh), 200, 'the new one');
    const { workerPids } = await guise.siteStatus(site.name);
    for (const pid of before) t.ok(workerPids.includes(pid), `worker ${pid} stays`);
  });

  await t.test('the grace time ends by itself', async (t) => {
    const middle = await apacheFor(world, [site]);
    await guise.says('site', 'set', site.name, '--rotate-key', '--grace', '2s');
    t.equal(await status(middle), 200);
    await until('the key to run out', async () => (await status(middle)) === 403);
    t.equal(await status(await apacheFor(world, [site])), 200, 'the present one goes on');
  });

  await t.test('without grace the old key is refused at once', async (t) => {
    const last = await apacheFor(world, [site]);
    await guise.says('site', 'set', site.name, '--rotate-key', '--grace', '0s');
    t.equal(await status(last), 403);
    t.equal(await status(await apacheFor(world, [site])), 200);
  });
});
