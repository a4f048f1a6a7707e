/**
 * The ledger of a real instance behind Apache and nginx: a line for each request, as the site wants it, and sums that
 * stay exact whatever is killed.
 */

import { chmodSync, readdirSync, renameSync, statSync } from 'node:fs';
import { readUsage, waitForUsage } from '../../src/ledger/usage-files.js';
import { summarize, type UsageSummary } from '../../src/ledger/usage-report.js';
import { finish } from '../../src/quickstart/command.js';
import { listProcesses } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

type Line = Readonly<Record<string, unknown>>;

await journey(async (t, world) => {
  const { guise } = world;
  const { instance } = guise;
  guise.allowErrors(/router died/, /ledger died/, /"msg":"worker died"/);
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice' });
  const bob = await guise.addSite({
    name: 'bob.test',
    user: 'bob',
    args: ['--set', 'ledger=errors', '--mode', 'per-request'],
  });
  const servers = [await apacheFor(world, [alice, bob]), await nginxFor(world, [alice, bob])] as const;
  const [apache] = servers;
  const file = (site: Site, name = 'requests.log'): string => `${instance.log}/sites/${site.name}/${name}`;
  const lines = (site: Site): Line[] =>
    readText(file(site))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  const lineOf = (site: Site, uri: string): Promise<Line> =>
    until(`a line for ${uri}`, () => lines(site).find((line) => line.uri === uri));
  const usage = (site: Site): Partial<UsageSummary> => {
    const directory = `${instance.state}/usage`;
    const unlock = waitForUsage(directory);
    const [row] = summarize(readUsage(directory), { site: site.name, daily: false });
    unlock();
    return row ?? {};
  };
  const pidOf = (title: string): number => {
    const found = listProcesses().find(
      ({ uid, command }) => uid === guise.routerUser.uid && command.includes(title),
    );
    if (found === undefined) throw new Error(`there is no ${title}`);
    return found.pid;
  };
  const died = (pid: number): Promise<unknown> =>
    until('its end', () => !listProcesses().some((entry) => entry.pid === pid));

  await t.test('one line for a request', async (t) => {
    for (const [n, server] of servers.entries()) {
      const uri = `/body.php?n=${n}`;
      const reply = await get(server.at(alice), uri, { body: Buffer.alloc(5000, 'x') });
      t.equal(reply.status, 200);
      const line = await lineOf(alice, uri);
      t.match(line, {
        site: 'alice.test',
        uid: alice.user.uid,
        client: '127.0.0.1',
        method: 'POST',
        host: 'alice.test',
        status: 200,
        endedBy: 'script',
        id: /^[0-9a-f]{12}$/,
      });
      t.match(line.script, `${alice.root}/body.php`);
      t.ok(Number(line.bytesIn) > 5000 && Number(line.bytesIn) < 10_000, `bytesIn ${String(line.bytesIn)}`);
      t.ok(Number(line.bytesOut) >= reply.body.length);
      t.ok(Number(line.peakKb) > 1000);
      for (const name of ['queueMs', 'runMs', 'userMs', 'systemMs']) t.ok(Number(line[name]) >= 0, name);
      const [uid] = listProcesses().flatMap((entry) => (entry.pid === line.pid ? [entry.uid] : []));
      t.equal(uid, alice.user.uid, 'the process is a worker of the site');
    }
  });

  await t.test('a refusal has its line too, with the id of the page', async (t) => {
    writeAs(bob, 'open.php', '<?php echo 1;');
    chmodSync(`${bob.root}/open.php`, 0o666);
    const reply = await get(apache.at(bob), '/open.php');
    const id = /Reference: ([0-9a-f]{12})/.exec(reply.text())?.[1];
    t.equal(reply.status, 403);
    const line = await lineOf(bob, '/open.php');
    t.match(line, { id, status: 403, reason: 'script-writable', endedBy: 'guise' });
    const crash = await get(apache.at(bob), '/crash.php?how=kill');
    t.equal(crash.status, 502);
    t.match(await lineOf(bob, '/crash.php?how=kill'), {
      endedBy: 'crash',
      reason: 'worker-died',
      status: 502,
    });
  });

  await t.test('"errors": nothing else has', async (t) => {
    for (let n = 0; n < 5; n++) t.equal((await get(apache.at(bob), `/whoami.php?n=${n}`)).status, 200);
    await until('the sums', () => usage(bob).requests === 7);
    t.notOk(lines(bob).some((line) => String(line.uri).startsWith('/whoami')));
    t.equal(usage(bob).refused, 2);
  });

  await t.test("the files are the group's to read and nobody's to write", async (t) => {
    const { uid, gid, mode } = statSync(file(alice));
    t.match({ uid, gid, mode: mode & 0o7777 }, { uid: 0, gid: alice.user.gid, mode: 0o640 });
    const as = (user: string, ...words: string[]) => finish('runuser', ['-u', user, '--', ...words]);
    t.equal((await as(alice.user.name, 'test', '-r', file(alice))).code, 0);
    t.not((await as(alice.user.name, 'test', '-w', file(alice))).code, 0);
    t.not((await as(bob.user.name, 'test', '-r', file(alice))).code, 0);
  });

  await t.test('reopened after somebody has renamed them', async (t) => {
    await get(apache.at(alice), '/whoami.php?before');
    await lineOf(alice, '/whoami.php?before');
    for (const name of [file(alice), `${instance.log}/guise.log`]) renameSync(name, `${name}.old`);
    t.equal((await guise.says('reopen')).trim(), 'logs reopened');
    await get(apache.at(alice), '/whoami.php?after');
    await lineOf(alice, '/whoami.php?after');
    t.notMatch(readText(`${file(alice)}.old`), '?after');
    await get(apache.at(bob), '/open.php?again');
    await guise.logged(/open\.php\?again/);
    renameSync(`${instance.log}/guise.log.old`, `${instance.log}/guise.log.1`);
  });

  await t.test('no sum is lost or doubled, whatever is killed', async (t) => {
    let expected = usage(alice).requests ?? 0;
    const visit = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const reply = await get(apache.at(alice), '/whoami.php').catch(() => undefined);
        if (reply?.status === 200) expected++;
        else throw new Error(`status ${reply?.status}`);
      }
    };
    const counted = () => until(`${expected} requests`, () => usage(alice).requests === expected);
    for (let round = 0; round < 3; round++) {
      const pid = pidOf('guise: ledger');
      await visit(5);
      process.kill(pid, 'SIGKILL');
      await visit(5);
      await died(pid);
      await counted();
    }
    const router = await guise.routerPid();
    process.kill(router, 'SIGKILL');
    await died(router);
    await until('a new router', async () => (await guise.routerPid()) !== router);
    await visit(5);
    await counted();
    const ledger = pidOf('guise: ledger');
    await guise.stop('SIGKILL');
    await died(ledger);
    t.equal(usage(alice).requests, expected, 'also without a daemon');
    const report = JSON.parse(await guise.says('usage', '--site', alice.name, '--json')) as {
      usage: UsageSummary[];
    };
    t.equal(report.usage[0]?.requests, expected, 'as the command says');
    t.match(await guise.says('usage', '--daily'), /^SITE +DAY +REQUESTS/);
    t.match(await guise.says('usage', '--csv'), /^site,from,to,requests,/);
    await guise.start();
    await visit(5);
    await counted();
    await guise.stop();
    t.equal(usage(alice).requests, expected);
    t.same(
      readdirSync(`${instance.state}/usage`).filter((name) => name.startsWith('journal')),
      [],
      'an orderly end leaves no journal',
    );
    await guise.start();
  });
});
