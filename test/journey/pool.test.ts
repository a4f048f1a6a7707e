/** `mode = "pool"`: workers stay and serve one request after another; several requests at once get several workers. */

import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'pool.test', user: 'alice', args: ['--max-workers', '8'] });
  const short = await guise.addSite({ name: 'short.test', user: 'bob', args: ['--set', 'max_requests=5'] });
  const apache = await apacheFor(world, [site, short]);
  const pidOf = async (): Promise<number> => {
    return ((await get(apache.at(site), '/whoami.php')).json() as Whoami).pid;
  };

  await t.test('requests after one another share a process', async (t) => {
    const pids = new Set<number>();
    for (let n = 0; n < 40; n += 1) pids.add(await pidOf());
    // The next request may come before the router knows that the last one is over, and a spare one may be started.
    t.ok(pids.size <= 5, `40 requests, ${pids.size} processes`);
  });

  await t.test('requests at the same time do not wait for each other, up to max_workers', async (t) => {
    const all = Array.from({ length: 12 }, () => get(apache.at(site), '/slow.php?ms=150'));
    const replies = await Promise.all(all);
    t.ok(
      replies.every((reply) => reply.status === 200),
      'all are answered',
    );
    const pids = new Set(replies.map((reply) => (reply.json() as { pid: number }).pid));
    t.ok(pids.size > 1 && pids.size <= 8, `${pids.size} processes`);
    t.ok((await guise.siteStatus('pool.test')).workers.total <= 8, 'never more than allowed');
  });

  await t.test('a worker ends after max_requests, and no request is lost over it', async (t) => {
    const pids = new Map<number, number>();
    for (let n = 0; n < 30; n += 1) {
      const reply = await get(apache.at(short), '/whoami.php');
      t.equal(reply.status, 200);
      const { pid } = reply.json() as Whoami;
      pids.set(pid, (pids.get(pid) ?? 0) + 1);
    }
    t.ok(pids.size >= 6, `${pids.size} processes for 30 requests`);
    t.ok(Math.max(...pids.values()) <= 5, 'none served more than five');
  });
});
