/**
 * Connections that the web server keeps to workers of the direct lane: one request after another, by whichever worker
 * is free, and none of them occupies a worker in between.
 */

import { RecordType, Role } from '../../src/fastcgi/constants.js';
import { encodeBeginRequest, encodeParams, encodeRecord, encodeStdin } from '../../src/fastcgi/encode.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { formNamed, inForm } from '../harness/apache-forms.js';
import { FcgiClient, paramsFor, request } from '../harness/fcgi-client.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const direct = ['socket=own', 'dispatch=direct', 'idle_timeout=60s', 'time_limit=20s'];

await journey(async (t, world) => {
  const { guise } = world;
  const add = (name: string, user: string, ...more: string[]): Promise<Site> =>
    guise.addSite({ name, user, args: ['--set', ...direct, ...more] });
  const one = await add('one.test', 'alice', 'max_workers=1');
  const two = await add('two.test', 'bob', 'max_workers=2');
  const short = await add('short.test', 'carol', 'max_workers=2', 'max_requests=3');
  const quiet = await add('quiet.test', 'erin', 'max_workers=2', 'idle_timeout=1s');
  const narrow = await add('narrow.test', 'frank', 'max_workers=2', 'limits.nofile=48');
  const fresh = await guise.addSite({
    name: 'fresh.test',
    user: 'dave',
    args: ['--mode', 'per-request', '--set', ...direct, 'max_workers=3'],
  });
  const open = (site: Site): Promise<FcgiClient> =>
    FcgiClient.connect(`${guise.instance.run}/sites/${site.name}.sock`);
  const ask = async (client: FcgiClient, site: Site, page = '/whoami.php') => {
    client.send(request(await paramsFor(guise, site, page), { keep: true }));
    return client.answer();
  };
  const whoami = async (client: FcgiClient, site: Site): Promise<Whoami> => {
    const { status, body } = await ask(client, site);
    t.equal(status, 200);
    return JSON.parse(body) as Whoami;
  };

  await t.test('one worker serves many connections, again and again', async (t) => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => open(one)));
    const pids = new Set<number>();
    for (let round = 0; round < 3; round++) {
      for (const client of clients) pids.add((await whoami(client, one)).pid);
      const answers = await Promise.all(clients.map((client) => whoami(client, one)));
      for (const { pid, uid } of answers) {
        pids.add(pid);
        t.equal(uid, one.user.uid);
      }
    }
    t.equal(pids.size, 1);
    t.notOk(clients.some((client) => client.isClosed));
    for (const client of clients) client.end();
  });

  await t.test('the connection that a worker has served last is its own', async (t) => {
    const [a, b] = await Promise.all([open(two), open(two)]);
    const first = [(await whoami(a, two)).pid, (await whoami(b, two)).pid];
    t.not(first[0], first[1], 'one for each');
    for (let n = 0; n < 10; n++)
      t.same([(await whoami(a, two)).pid, (await whoami(b, two)).pid], first, 'and it stays');
    a.end();
    b.end();
  });

  await t.test('what a worker had before its present request is served by another one', async (t) => {
    const [a, b, c] = await Promise.all([open(two), open(two), open(two)]);
    for (const client of [a, b, c]) await whoami(client, two);
    a.send(request(await paramsFor(guise, two, '/slow.php?ms=3000'), { keep: true }));
    await until('it to run', async () => (await guise.siteStatus(two.name)).workers.busy === 1);
    for (let n = 0; n < 5; n++) for (const client of [b, c]) await whoami(client, two);
    t.notOk(a.hasHeard, 'while it runs');
    t.equal((await a.answer()).status, 200);
    for (const client of [a, b, c]) client.end();
  });

  await t.test('bodies, refusals and large answers leave it as it is', async (t) => {
    const client = await open(one);
    for (let n = 0; n < 8; n++) {
      const body = 'b'.repeat(n * 90_000 + 1);
      const more = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(body.length) };
      client.send(request(await paramsFor(guise, one, '/body.php', more), { keep: true, body }));
      t.match(JSON.parse((await client.answer()).body), { length: body.length });
      t.equal((await ask(client, one, '/missing.php')).status, 404);
      const wrong = { ...(await paramsFor(guise, one, '/whoami.php')), GUISE_KEY: 'f'.repeat(64) };
      client.send(request(wrong, { keep: true }));
      t.equal((await client.answer()).status, 403, 'each request has to have the key');
      t.equal((await ask(client, one, `/big.php?bytes=${400_000 + n}`)).body.length, 400_000 + n);
    }
    t.equal(client.failure, undefined);
    client.end();
  });

  await t.test('an end of the body that comes late, in pieces, or with the next request', async (t) => {
    const client = await open(one);
    const begin = async (id = 1): Promise<Buffer> =>
      Buffer.concat([
        encodeBeginRequest(id, Role.RESPONDER, 1),
        encodeParams(id, Object.entries(await paramsFor(guise, one, '/whoami.php'))),
      ]);
    const end = encodeStdin(1);
    client.send(await begin());
    t.equal((await client.answer()).status, 200, 'nothing can follow, so it is not waited for');
    client.send(end);
    client.send(await begin());
    t.equal((await client.answer()).status, 200);
    client.send(end.subarray(0, 3));
    await new Promise(setImmediate);
    client.send(end.subarray(3), await begin());
    t.equal((await client.answer()).status, 200);
    client.send(Buffer.concat([end, await begin(), end, await begin(2)]));
    t.equal((await client.answer()).status, 200);
    t.equal((await client.answer(2)).status, 200, 'two at once, one after the other');
    client.send(encodeStdin(2));
    client.send(end, encodeRecord(RecordType.STDIN, 1), await begin(), end);
    t.equal((await client.answer()).status, 200);
    client.end();
  });

  await t.test('workers that are replaced leave their connections to others', async (t) => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => open(short)));
    const pids = new Set<number>();
    for (let n = 0; n < 10; n++) for (const client of clients) pids.add((await whoami(client, short)).pid);
    t.ok(pids.size >= 10, `${pids.size} workers`);
    t.notOk(clients.some((client) => client.isClosed));
    for (const client of clients) client.end();
  });

  await t.test('a fresh process for each request, on one connection', async (t) => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => open(fresh)));
    const pids: number[] = [];
    for (let n = 0; n < 4; n++) for (const client of clients) pids.push((await whoami(client, fresh)).pid);
    t.equal(new Set(pids).size, 20);
    for (const client of clients) client.end();
  });

  await t.test('where nobody is left, a request on an old connection starts workers', async (t) => {
    const clients = await Promise.all(Array.from({ length: 3 }, () => open(quiet)));
    for (const client of clients) await whoami(client, quiet);
    await until('its workers to end', () => guise.processesOf(quiet.user).length <= 1, 30_000);
    t.equal(guise.processesOf(quiet.user).length, 1, 'the template is there, and has the connections');
    for (const client of clients) await whoami(client, quiet);
    t.notOk(clients.some((client) => client.isClosed));
    await until('all to end', () => guise.processesOf(quiet.user).length === 0, 60_000);
    for (const client of clients) await client.closed();
  });

  await t.test('what a script leaves running has no part in the next request', async (t) => {
    writeAs(two, 'stray.php', '<?php exec("sleep 60 > /dev/null 2>&1 &"); echo getmypid();');
    const client = await open(two);
    t.equal((await ask(client, two, '/stray.php')).status, 200);
    await client.closed();
    const next = await open(two);
    await whoami(next, two);
    next.end();
  });

  await t.test('a child that a script forks has no part in the answer, nor in the next one', async (t) => {
    const script = `<?php
      $child = pcntl_fork();
      if ($child === 0) { echo 'the child'; exit; }
      pcntl_waitpid($child, $status);
      echo 'the parent';`;
    writeAs(two, 'fork.php', script);
    for (let n = 0; n < 3; n++) {
      const client = await open(two);
      t.equal((await ask(client, two, '/fork.php')).body, 'the parent');
      for (let more = 0; more < 3 && !client.isClosed; more++) await whoami(client, two);
      client.end();
    }
  });

  await t.test('who keeps a connection is not overtaken by those who connect', async (t) => {
    const [first, second] = await Promise.all([open(one), open(one)]);
    await whoami(first, one);
    await whoami(second, one);
    second.send(request(await paramsFor(guise, one, '/slow.php?ms=1000'), { keep: true }));
    await until('it to run', async () => (await guise.siteStatus(one.name)).workers.busy === 1);
    const whole = request(await paramsFor(guise, one, '/slow.php?ms=30'), { keep: true });
    const crowd = await Promise.all(Array.from({ length: 60 }, () => open(one)));
    for (const client of [first, ...crowd]) client.send(whole);
    t.equal((await first.answer()).status, 200);
    const overtook = crowd.filter((client) => client.hasHeard).length;
    t.ok(overtook < 30, `${overtook} of 60 came first`);
    for (const client of crowd) await client.answer();
    for (const client of [first, second, ...crowd]) client.end();
  });

  await t.test('a site with few descriptors keeps few, the newest', async () => {
    const clients: FcgiClient[] = [];
    for (let n = 0; n < 30; n++) {
      const client = await open(narrow);
      await whoami(client, narrow);
      clients.push(client);
    }
    await until('the oldest to be closed', () => clients[0]?.isClosed === true);
    const [, , , , last] = clients.slice(-5);
    await whoami(last as FcgiClient, narrow);
    await guise.says('site', 'restart', narrow.name);
    const next = await open(narrow);
    await whoami(next, narrow);
    for (const client of [...clients, next]) client.end();
  });

  await t.test('who waits on a site that is being changed is told at once', async (t) => {
    const [a, b] = await Promise.all([open(one), open(one)]);
    await whoami(a, one);
    await whoami(b, one);
    // A signal ends a sleep.
    writeAs(one, 'long.php', '<?php for ($end = hrtime(true) + 5e9; hrtime(true) < $end;) usleep(1000);');
    a.send(request(await paramsFor(guise, one, '/long.php'), { keep: true }));
    await until('it to run', async () => (await guise.siteStatus(one.name)).workers.busy === 1);
    b.send(request(await paramsFor(guise, one, '/whoami.php'), { keep: true }));
    await guise.says('site', 'set', one.name, '--set', 'time_limit=30s');
    await b.closed();
    t.notOk(a.hasHeard, 'the other one still runs');
    t.equal((await a.answer()).status, 200, 'and is not disturbed');
    a.end();
  });

  await t.test('a crash ends the connection of its request, and no other', async () => {
    guise.allowErrors(/SIGKILL/);
    const [a, b] = await Promise.all([open(two), open(two)]);
    await whoami(a, two);
    await whoami(b, two);
    a.send(request(await paramsFor(guise, two, '/crash.php?how=kill'), { keep: true }));
    await a.closed();
    await whoami(b, two);
    b.end();
  });

  await t.test('Apache keeps dozens of them, and nobody is busy afterwards', async (t) => {
    const sites = [one, two, short, fresh];
    const apache = await apacheFor(world, sites, {
      inside: (site) =>
        inForm(formNamed('handler-reuse'), guise, site, `${guise.instance.run}/sites/${site.name}.sock`),
    });
    for (let round = 0; round < 4; round++) {
      const asked = sites.flatMap((site) => Array.from({ length: 15 }, () => site));
      const replies = await Promise.all(asked.map((site) => get(apache.at(site), '/whoami.php')));
      for (const [at, reply] of replies.entries()) {
        t.equal(reply.status, 200);
        t.equal((reply.json() as Whoami).uid, asked[at]?.user.uid);
      }
    }
    for (const site of sites)
      await until('no busy worker', async () => (await guise.siteStatus(site.name)).workers.busy === 0);
    await apache.stop();
  });
});
