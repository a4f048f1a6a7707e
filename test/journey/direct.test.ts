/** The direct lane: workers that accept on the site's own socket. The same promises as with the router, but for two. */

import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { Readable } from 'node:stream';
import { processState } from '../../src/master/process-state.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { beginsEarly } from '../harness/early.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import { type Site, writeAs } from '../harness/guise.js';
import { type Address, get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { BodySeen, Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const direct = [
  '--set',
  'socket=own',
  'dispatch=direct',
  'max_workers=4',
  'idle_timeout=1s',
  'time_limit=2s',
];

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/SIGKILL/);
  const pool = await guise.addSite({ name: 'direct.test', user: 'alice', args: direct });
  const fresh = await guise.addSite({
    name: 'fresh.test',
    user: 'bob',
    args: ['--mode', 'per-request', ...direct],
  });
  const sites = [pool, fresh];
  const servers = [await apacheFor(world, sites), await nginxFor(world, sites)];
  const everywhere: [string, Address, Site][] = sites.flatMap((site) =>
    servers.map((server, n): [string, Address, Site] => [
      `${site.name} behind ${n === 0 ? 'Apache' : 'nginx'}`,
      server.at(site),
      site,
    ]),
  );
  const socketOf = (site: Site): string => `${guise.instance.run}/sites/${site.name}.sock`;

  for (const [label, at, site] of everywhere) {
    await t.test(`${label}: as its user, with all groups`, async (t) => {
      const seen = (await get(at, '/whoami.php')).json() as Whoami;
      t.equal(seen.uid, site.user.uid);
      t.same(
        [...seen.groups].sort((a, b) => a - b),
        site.user.groups,
      );
    });

    await t.test(`${label}: parameters are rewritten by the same rules`, async (t) => {
      const { server } = (
        await get(at, '/server.php/info?x=1', { headers: { proxy: 'http://evil/' } })
      ).json() as Seen;
      t.equal(server.PATH_INFO, '/info');
      t.notHas(server, { HTTP_PROXY: /./ });
      t.notMatch(JSON.stringify(server), guise.keyOf(site.name) ?? 'no key');
    });

    await t.test(`${label}: bodies of all sizes, with and without a length`, async (t) => {
      for (const size of [0, 1, 60_000, 70_000, 3_000_000, 9_000_000]) {
        const body = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz');
        const sha256 = createHash('sha256').update(body).digest('hex');
        const chunks = Readable.from(
          [body.subarray(0, size / 2), body.subarray(size / 2)].filter((b) => b.length > 0),
        );
        for (const sent of size === 0 ? [body] : [body, chunks]) {
          const seen = (await get(at, '/body.php', { method: 'POST', body: sent })).json() as BodySeen;
          t.same([seen.length, seen.sha256], [size, sha256], `${size} bytes`);
        }
      }
    });

    await t.test(`${label}: what may not run does not`, async (t) => {
      writeAs(site, 'open.php', '<?php echo 1;');
      chmodSync(`${site.root}/open.php`, 0o666);
      const reply = await get(at, '/open.php');
      t.equal(reply.status, 403);
      t.match(reply.text(), /Reference: [0-9a-f]{12}</);
      t.ok(await guise.logged(/requests refused/));
    });

    await t.test(`${label}: a crash costs its own request`, async (t) => {
      const reply = await get(at, '/crash.php?how=kill');
      t.ok([502, 503].includes(reply.status), `the web server's own page, ${reply.status}`);
      t.equal((await get(at, '/whoami.php')).status, 200);
      t.ok(await guise.logged(new RegExp(`${site.name}.*SIGKILL|SIGKILL.*${site.name}`)));
    });

    await t.test(`${label}: the time limit ends a request`, async (t) => {
      const reply = await get(at, '/slow.php?ms=20000');
      t.ok([502, 503].includes(reply.status), `the web server's own page, ${reply.status}`);
      t.ok(await guise.logged(/time-limit/));
    });
  }

  await t.test('a pool keeps its processes, a fresh process serves one request', async (t) => {
    // A connection for each request: one that is kept stays with the worker that it came to.
    const pids = async (site: Site): Promise<number[]> => {
      const params = await paramsFor(guise, site, '/whoami.php');
      const seen = [];
      for (let n = 0; n < 20; n++)
        seen.push((JSON.parse((await askOnce(socketOf(site), params)).body) as Whoami).pid);
      return seen;
    };
    const inPool = await pids(pool);
    t.ok(new Set(inPool).size <= 4);
    // In turn, each of the four would have five. The first one may be slow to come back now and then.
    const most = Math.max(...inPool.map((pid) => inPool.filter((other) => other === pid).length));
    t.ok(most >= 8, `the first idle worker is taken, ${most} times of 20`);
    t.equal(new Set(await pids(fresh)).size, 20);
  });

  await t.test('an idle worker that a debugger or a freezer stops goes on afterwards', async (t) => {
    await guise.says('site', 'set', pool.name, '--set', 'idle_timeout=60s');
    const at = servers[0]?.at(pool) as Address;
    const { pid } = (await get(at, '/whoami.php')).json() as Whoami;
    const state = (): string => processState(pid).state ?? 'gone';
    await until('it to wait', () => state() === 'S');
    process.kill(pid, 'SIGSTOP');
    await until('it to stop', () => state() === 'T');
    process.kill(pid, 'SIGCONT');
    await until('it to wait again, or to end', () => ['S', 'Z', 'gone'].includes(state()));
    t.equal((await get(at, '/whoami.php')).status, 200);
    t.equal(state(), 'S');
    await guise.says('site', 'set', pool.name, '--set', 'idle_timeout=1s');
  });

  await t.test('only with its key, and only on its own socket', async (t) => {
    const good = await paramsFor(guise, pool, '/whoami.php');
    t.equal((await askOnce(socketOf(pool), good)).status, 200);
    t.equal((await askOnce(socketOf(pool), { ...good, GUISE_KEY: '' })).status, 403, 'no key');
    t.equal(
      (await askOnce(socketOf(pool), { ...good, GUISE_KEY: 'f'.repeat(64) })).status,
      403,
      'another key',
    );
    t.equal((await askOnce(socketOf(fresh), good)).status, 403, "another site's socket");
    t.equal((await askOnce(guise.socket, good)).status, 403, 'the shared socket');
  });

  await t.test('where no body can follow, its end is not waited for', async (t) => {
    await beginsEarly(t, socketOf(pool), await paramsFor(guise, pool, '/whoami.php'));
  });

  await t.test('rotation of the key reaches the workers', async (t) => {
    const old = await paramsFor(guise, pool, '/whoami.php');
    await guise.says('site', 'set', pool.name, '--rotate-key', '--grace', '0s');
    // The workers that know the old key are told to go, and one may be just about to take a last request.
    await until('the old key to be refused', async () => (await askOnce(socketOf(pool), old)).status === 403);
    t.equal((await askOnce(socketOf(pool), await paramsFor(guise, pool, '/whoami.php'))).status, 200);
  });

  await t.test('a quiet site has no process, and wakes up again', async (t) => {
    await until('its processes to end', () => guise.processesOf(pool.user).length === 0, 30_000);
    t.equal((await askOnce(socketOf(pool), await paramsFor(guise, pool, '/whoami.php'))).status, 200);
  });

  await t.test('a site that changes its lane keeps its socket and loses no request', async (t) => {
    await guise.says('site', 'set', pool.name, '--set', 'time_limit=60s');
    const at = (await apacheFor(world, [pool])).at(pool);
    const running = Array.from({ length: 3 }, () => get(at, '/slow.php?ms=5000'));
    await until('the requests to run', async () => (await guise.siteStatus(pool.name)).workers.busy === 3);
    await guise.says('site', 'set', pool.name, '--set', 'dispatch=router');
    t.equal((await get(at, '/whoami.php')).status, 200, 'through the router');
    for (const reply of await Promise.all(running)) t.equal(reply.status, 200, 'what ran has finished');
    await guise.says('site', 'set', pool.name, '--set', 'dispatch=direct');
    t.equal((await get(at, '/whoami.php')).status, 200, 'and back');
  });

  await t.test('without its master it finishes what runs, and ends', async (t) => {
    const at = servers[0]?.at(fresh) as Address;
    await guise.says('site', 'set', fresh.name, '--set', 'time_limit=60s');
    const running = get(at, '/slow.php?ms=3000');
    await until('it to run', async () => (await guise.siteStatus(fresh.name)).workers.busy === 1);
    process.kill(guise.pid, 'SIGKILL');
    t.equal((await running).status, 200);
    await until('all processes to end', () => guise.processesOf(fresh.user).length === 0, 30_000);
    await guise.start();
  });

  await t.test('stopping lets a running request finish', async (t) => {
    const at = servers[0]?.at(fresh) as Address;
    await guise.says('site', 'set', fresh.name, '--set', 'time_limit=60s');
    const running = get(at, '/slow.php?ms=4000');
    await until('it to run', async () => (await guise.siteStatus(fresh.name)).workers.busy === 1);
    await guise.stop();
    t.equal((await running).status, 200);
  });
});
