/** What `guise status --json` says of a site is what has happened, and stays so whatever is restarted. */

import { copyFileSync, statSync } from 'node:fs';
import type { SiteStatus } from '../../src/control/api.js';
import { until } from '../../src/quickstart/until.js';
import { siteStatusOf, statusOf } from '../attack/control.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/router died|SIGKILL|SIGSEGV|refused/i);
  const site = await guise.addSite({ name: 'a.test', user: 'alice', args: ['--max-workers', '2'] });
  const direct = await guise.addSite({
    name: 'direct.test',
    user: 'bob',
    args: ['--set', 'socket=own', '--set', 'dispatch=direct', '--max-workers', '2'],
  });
  const apache = await apacheFor(world, [site, direct]);
  for (const { root } of [site, direct]) copyFileSync(`${root}/whoami.php`, `${root}/foreign.php`);
  const status = (): Promise<SiteStatus> => siteStatusOf(guise, 'a.test');

  await t.test('how long requests waited and ran, and what they used', async (t) => {
    const began = Date.now();
    await Promise.all(Array.from({ length: 6 }, () => get(apache.at(site), '/slow.php?ms=200')));
    const seen = await until('six requests', async () => {
      const now = await status();
      return now.served === 6 ? now : undefined;
    });
    t.equal(seen.runTime.count, 6);
    t.equal(seen.queueTime.count, 6);
    t.ok((seen.runTime.p50Ms ?? 0) >= 150, `half ran ${seen.runTime.p50Ms} ms`);
    t.ok(seen.runTime.sumMs >= 1200, `together ${seen.runTime.sumMs} ms`);
    t.ok((seen.queueTime.p99Ms ?? 0) >= 150, `the last waited ${seen.queueTime.p99Ms} ms for the first two`);
    t.same([seen.workers.maxBusy, seen.queue.maxLength >= 4], [2, true]);
    t.ok(seen.workers.limitReached > 0, 'somebody found both at work');
    t.ok(seen.bytes.in > 1000 && seen.bytes.out > 0, `${seen.bytes.in} bytes in, ${seen.bytes.out} out`);
    t.ok(seen.cpu.userMs + seen.cpu.systemMs > 0);
    t.ok(seen.peakRssBytes > 1_000_000);
    t.ok(Date.parse(seen.lastRequestAt ?? '') >= began);
    t.ok(Date.parse(seen.inForceSince) <= began);
    t.match(seen.lives, { workers: 2, templates: 1, failedStarts: 0, deaths: {} });
    t.ok((seen.memory?.pssBytes ?? 0) > 1_000_000, `${seen.memory?.pssBytes} bytes`);
    t.ok((seen.memory?.pssBytes ?? 0) <= (seen.memory?.rssBytes ?? 0));
  });

  await t.test('what was refused, by reason, and how workers died', async (t) => {
    t.equal((await get(apache.at(site), '/foreign.php')).status, 403);
    t.equal((await get(apache.at(site), '/crash.php?how=segv')).status, 502);
    const seen = await until('both', async () => {
      const now = await status();
      return now.crashed === 1 && now.refused === 1 && now.lives.deaths.SIGSEGV === 1 ? now : undefined;
    });
    t.same(seen.refusals, { 'script-owner': 1, 'worker-died': 1 });
  });

  await t.test('the direct lane, as far as its workers keep count', async (t) => {
    for (let i = 0; i < 3; i++) t.equal((await get(apache.at(direct), '/whoami.php')).status, 200);
    await get(apache.at(direct), '/foreign.php');
    const seen = await until('four requests', async () => {
      const now = await siteStatusOf(guise, 'direct.test');
      return now.served === 3 && now.refused === 1 ? now : undefined;
    });
    t.same(seen.refusals, { 'script-owner': 1 });
    t.ok(seen.bytes.out > 0);
    t.ok(seen.lastRequestAt !== undefined);
  });

  await t.test('no count goes back when the router dies, or the site changes', async (t) => {
    const before = await statusOf(guise);
    process.kill(await guise.routerPid(), 'SIGKILL');
    await until('another router', async () => {
      const [router] = (await statusOf(guise)).routers;
      return router?.alive === true && router.restarts === 1 && router.answers ? true : undefined;
    });
    const find = (report: typeof before): (typeof before.sites)[number] | undefined =>
      report.sites.find(({ name }) => name === 'a.test');
    const after = await statusOf(guise);
    for (const name of ['served', 'refused', 'crashed', 'refusals'] as const)
      t.same(find(after)?.[name], find(before)?.[name], name);
    t.equal(after.totals?.served, before.totals?.served);
    t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    await guise.says('site', 'set', 'a.test', '--set', 'time_limit=50s');
    t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    const served = (find(before)?.served ?? 0) + 2;
    const changed = await until('the old form to be gone, and both requests to count', async () => {
      const now = await statusOf(guise);
      const rows = now.sites.filter(({ name }) => name === 'a.test');
      return rows.length === 1 && rows[0]?.served === served ? now : undefined;
    });
    t.equal(changed.totals?.served, (before.totals?.served ?? 0) + 2);
    await guise.says('site', 'remove', 'a.test');
    await until('nothing of it to be left', async () => {
      const now = await statusOf(guise);
      return now.sites.every(({ name }) => name !== 'a.test') &&
        (now.totals?.served ?? 0) >= (changed.totals?.served ?? 0)
        ? true
        : undefined;
    });
  });

  await t.test('a router that stands still keeps nobody waiting for long', async (t) => {
    const router = await guise.routerPid();
    process.kill(router, 'SIGSTOP');
    const answers = await Promise.all(Array.from({ length: 5 }, () => statusOf(guise)));
    process.kill(router, 'SIGCONT');
    for (const { routers, totals } of answers) {
      t.match(routers[0], { alive: true, answers: false });
      t.ok((totals?.served ?? 0) > 0, 'what is known is told');
    }
    await until('it to answer again', async () => (await statusOf(guise)).routers[0]?.answers || undefined);
    t.ok(statSync(`/proc/${router}`), 'the same one');
  });
});
