/**
 * The ledger of sites whose requests no router sees: the same lines and sums as in the other lane, behind Apache and
 * nginx, whatever is killed.
 */

import { chmodSync } from 'node:fs';
import { readUsage, waitForUsage } from '../../src/ledger/usage-files.js';
import { summarize, type UsageSummary } from '../../src/ledger/usage-report.js';
import { listProcesses } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

type Line = Readonly<Record<string, unknown>>;

const direct = ['--set', 'socket=own', 'dispatch=direct', 'slow_after=1s', 'time_limit=3s'];

await journey(async (t, world) => {
  const { guise } = world;
  const { instance } = guise;
  guise.allowErrors(/router died/, /ledger died/, /"msg":"worker died"/);
  const alice = await guise.addSite({
    name: 'alice.test',
    user: 'alice',
    args: [...direct, 'max_workers=2'],
  });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob', args: [...direct, 'max_workers=3'] });
  const silent = await guise.addSite({
    name: 'silent.test',
    user: 'bob',
    args: [...direct, 'max_workers=1', 'ledger=off'],
  });
  const sites = [alice, bob, silent];
  const servers = [await apacheFor(world, sites), await nginxFor(world, sites)] as const;
  const [apache] = servers;
  const fileOf = (site: Site, name: string): string => `${instance.log}/sites/${site.name}/${name}`;
  const lines = (site: Site, name = 'requests.log'): Line[] =>
    readText(fileOf(site, name))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  const lineOf = (site: Site, uri: string, name?: string): Promise<Line> =>
    until(`a line for ${uri}`, () => lines(site, name).find((line) => line.uri === uri));
  const usage = (site: Site): Partial<UsageSummary> => {
    const unlock = waitForUsage(`${instance.state}/usage`);
    const [row] = summarize(readUsage(`${instance.state}/usage`), { site: site.name, daily: false });
    unlock();
    return row ?? {};
  };
  const counted = (site: Site, count: number): Promise<unknown> =>
    until(`${count} requests, not ${usage(site).requests}`, () => usage(site).requests === count);
  const pidOf = (title: string): number =>
    listProcesses().find(({ uid, command }) => uid === guise.routerUser.uid && command.includes(title))
      ?.pid ?? 0;
  const died = (pid: number): Promise<unknown> =>
    until('its end', () => !listProcesses().some((entry) => entry.pid === pid));

  await t.test('one line for a request', async (t) => {
    for (const [n, server] of servers.entries()) {
      const uri = `/body.php?n=${n}`;
      const reply = await get(server.at(alice), uri, { body: Buffer.alloc(5000, 'x') });
      t.equal(reply.status, 200);
      const line = await lineOf(alice, uri);
      t.match(line, {
        id: /^[0-9a-f]{12}$/,
        site: 'alice.test',
        uid: alice.user.uid,
        client: '127.0.0.1',
        method: 'POST',
        host: 'alice.test',
        status: 200,
        queueMs: 0,
        endedBy: 'script',
        lane: 'direct',
      });
      t.match(line.script, `${alice.root}/body.php`);
      t.ok(Number(line.bytesIn) > 5000 && Number(line.bytesIn) < 10_000, `bytesIn ${String(line.bytesIn)}`);
      t.ok(Number(line.bytesOut) >= reply.body.length);
      t.ok(Number(line.peakKb) > 1000 && Number(line.runMs) >= 0 && Number(line.runMs) < 60_000);
      t.ok(Math.abs(Date.now() - Date.parse(String(line.time))) < 60_000, 'when it was');
      t.ok(
        guise.processesOf(alice.user).some(({ pid }) => pid === line.pid),
        'a worker of the site',
      );
    }
  });

  await t.test('refused, crashed, too long', async (t) => {
    writeAs(alice, 'open.php', '<?php echo 1;');
    chmodSync(`${alice.root}/open.php`, 0o666);
    const reply = await get(apache.at(alice), '/open.php');
    t.equal(reply.status, 403);
    const id = /Reference: ([0-9a-f]{12})/.exec(reply.text())?.[1];
    t.match(await lineOf(alice, '/open.php'), {
      id,
      status: 403,
      reason: 'script-writable',
      endedBy: 'guise',
    });
    await get(apache.at(alice), '/crash.php?how=kill');
    t.match(await lineOf(alice, '/crash.php?how=kill'), {
      endedBy: 'crash',
      reason: 'worker-died',
      status: 0,
    });
    await get(apache.at(alice), '/slow.php?ms=60000');
    const line = await lineOf(alice, '/slow.php?ms=60000');
    t.match(line, { endedBy: 'guise', reason: 'time-limit', status: 0 });
    t.ok(Number(line.runMs) > 2500, 'its clock has steps of a few milliseconds');
    t.match(await lineOf(alice, '/slow.php?ms=60000', 'slow.log'), {
      site: 'alice.test',
      pid: line.pid,
      process: { state: 'S' },
    });
  });

  await t.test('what runs, and its end at somebody’s word', async (t) => {
    const visit = get(apache.at(bob), '/slow.php?ms=60000&now');
    const id = await until(
      'it to run',
      async () => /^(\w{12}) .*bob.test.*running/m.exec(await guise.says('requests'))?.[1],
    );
    t.match(await guise.says('kill', id), `killed: request ${id} of bob.test`);
    t.ok([502, 503].includes((await visit).status));
    t.match(await lineOf(bob, '/slow.php?ms=60000&now'), {
      id,
      reason: 'killed',
      endedBy: 'operator',
      byUid: 0,
    });
  });

  await t.test('without lines there are sums', async (t) => {
    for (let n = 0; n < 5; n++) t.equal((await get(apache.at(silent), '/whoami.php')).status, 200);
    await counted(silent, 5);
    t.ok(Number(usage(silent).cpuUs) > 0);
    t.equal(readText(fileOf(silent, 'requests.log')), '');
  });

  await t.test('no sum is lost or doubled, whatever is killed', async (t) => {
    await counted(bob, 1);
    let expected = 1;
    const visit = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) t.equal((await get(apache.at(bob), '/whoami.php')).status, 200);
      expected += count;
    };
    const ledger = pidOf('guise: ledger');
    await visit(5);
    process.kill(ledger, 'SIGKILL');
    await visit(5);
    await died(ledger);
    await counted(bob, expected);
    const router = await guise.routerPid();
    process.kill(router, 'SIGKILL');
    await visit(5);
    await died(router);
    await counted(bob, expected);
    const running = get(apache.at(bob), '/slow.php?ms=1500&last');
    await until('it to run', async () => (await guise.siteStatus(bob.name)).workers.busy === 1);
    await guise.stop('SIGKILL');
    t.equal((await running).status, 200);
    expected++;
    await until('the end of its ledger', () => pidOf('guise: ledger') === 0);
    const orphans = () => [alice, bob].flatMap(({ user }) => guise.processesOf(user));
    await until('the end of all workers', () => orphans().length === 0);
    t.equal(usage(bob).requests, expected, 'also without a daemon');
    await guise.start();
    await visit(3);
    await guise.stop();
    t.equal(usage(bob).requests, expected, 'an orderly end forgets nothing');
    await guise.start();
  });
});
