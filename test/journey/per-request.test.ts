/** `mode = "per-request"`: a fresh process for every request, forked from a template whose opcache gets warmer. */

import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import type { OpcacheSeen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'fresh.test', user: 'alice', args: ['--mode', 'per-request'] });
  const apache = await apacheFor(world, [site]);

  await t.test('40 requests, 40 processes, one parent', async (t) => {
    const seen: Whoami[] = [];
    for (let n = 0; n < 40; n += 1) seen.push((await get(apache.at(site), '/whoami.php')).json() as Whoami);
    t.equal(new Set(seen.map((one) => one.pid)).size, 40);
    t.equal(new Set(seen.map((one) => one.ppid)).size, 1, 'all were forked from one template');
    t.equal((await guise.siteStatus('fresh.test')).templatePid, seen[0]?.ppid);
  });

  await t.test('at the same time too', async (t) => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => get(apache.at(site), '/whoami.php')));
    t.equal(new Set(replies.map((reply) => (reply.json() as Whoami).pid)).size, 20);
  });

  await t.test('they share an opcache that gets warmer', async (t) => {
    const seen: OpcacheSeen[] = [];
    for (let n = 0; n < 10; n += 1)
      seen.push((await get(apache.at(site), '/opcache.php')).json() as OpcacheSeen);
    const first = seen[0] as OpcacheSeen;
    const last = seen[9] as OpcacheSeen;
    t.ok(first.hits >= 0, 'opcache is on');
    t.ok(last.hits > first.hits, `hits: ${first.hits}, later ${last.hits}`);
    t.ok(last.misses <= first.misses + 1, `misses: ${first.misses}, later ${last.misses}`);
    t.ok(last.scripts.includes(`${site.root}/whoami.php`), 'a process knows what an earlier one compiled');
    for (const script of last.scripts) t.ok(script.startsWith(site.root), `${script} is the site's own`);
  });

  await t.test('with one worker at a time, one request after another is served', async (t) => {
    const one = await guise.addSite({
      name: 'one.test',
      user: 'bob',
      args: ['--mode', 'per-request', '--max-workers', '1'],
    });
    const second = await apacheFor(world, [one]);
    const pids = new Set<number>();
    for (let n = 0; n < 30; n += 1) {
      const reply = await get(second.at(one), '/whoami.php');
      t.equal(reply.status, 200);
      if (reply.status === 200) pids.add((reply.json() as Whoami).pid);
    }
    t.equal(pids.size, 30);
    const replies = await Promise.all(Array.from({ length: 10 }, () => get(second.at(one), '/whoami.php')));
    t.same([...new Set(replies.map((reply) => reply.status))], [200], 'and ten at once wait for each other');
  });

  await t.test('a process that ends after its request has not crashed', async (t) => {
    for (let round = 0; round < 25; round += 1) {
      const replies = await Promise.all(Array.from({ length: 8 }, () => get(apache.at(site), '/whoami.php')));
      t.same([...new Set(replies.map((reply) => reply.status))], [200]);
    }
    t.equal((await guise.siteStatus('fresh.test')).crashed, 0);
    t.same(
      guise.log().filter((line) => line.reason === 'worker-died'),
      [],
    );
  });

  await t.test('processes that have served are gone', async (t) => {
    const { pid } = (await get(apache.at(site), '/whoami.php')).json() as Whoami;
    await until('the process to end', () => !guise.processes().some((entry) => entry.pid === pid));
    t.ok(
      guise.processesOf(site.user).every((entry) => entry.state !== 'Z'),
      'and leave no zombie',
    );
  });
});
