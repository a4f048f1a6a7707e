/**
 * Without a router: the worker itself, as the site's user and in C, checks peer, key, parameters and script. The attacks
 * of the other files once more on his own socket, and bytes that are hardly FastCGI.
 */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { encodeBeginRequest, encodeParams, encodeRecord } from '../../src/fastcgi/encode.js';
import { until } from '../../src/quickstart/until.js';
import { askOnce, FcgiClient, type Params, paramsFor, request } from '../harness/fcgi-client.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Seen } from '../harness/php-pages.js';
import { arena, forge, handOver, htaccess } from './arena.js';
import { siteStatusOf } from './control.js';

/** Throws bytes at a socket and does not wait for an answer. */
async function throwAt(path: string, bytes: Buffer): Promise<void> {
  const socket = connect(path);
  socket.on('error', () => undefined);
  socket.resume();
  socket.setTimeout(1000, () => socket.destroy());
  await new Promise((resolve) => {
    socket.once('close', resolve);
    socket.end(bytes);
  });
}

/** Records whose types, ids and lengths are anything; now and then something that is nearly a request. */
function nonsense(honest: Params): Buffer {
  const byte = (most: number): number => (randomBytes(1)[0] ?? 0) % most;
  const records = Array.from({ length: 1 + byte(12) }, () => {
    const content = randomBytes(byte(3) === 0 ? byte(200) * 200 : byte(20));
    const record = encodeRecord(byte(13), byte(3), content);
    if (byte(8) === 0) record[byte(8)] = byte(256);
    return record;
  });
  const begun = byte(2) === 0 ? [encodeBeginRequest(1, byte(8) === 0 ? 2 : 1, byte(2))] : [];
  const params = byte(2) === 0 ? [encodeParams(1, Object.entries(honest))] : [];
  const whole = Buffer.concat([...begun, ...params, ...records]);
  return byte(3) === 0 ? whole.subarray(0, byte(256) * 4) : whole;
}

await arena(
  async (t, { instance, alice, bob, guise }) => {
    const own = `${instance.instance.run}/sites/${bob.name}.sock`;
    const open = 'the safe is open';
    const forged = { REMOTE_USER: 'admin', HTTPS: 'on' };

    await t.test('the web server is served, by his workers themselves', async (t) => {
      t.equal((await get(guise.apache(bob), '/index.php')).text(), `front page of ${bob.name}`);
      const honest = await paramsFor(instance, bob, '/admin.php', forged);
      t.match((await askOnce(own, honest)).body, open, 'with his key everything can be said');
    });

    await t.test('.htaccess of hers at his socket', async (t) => {
      const parameters = [
        forge('SCRIPT_FILENAME', `${bob.root}/admin.php`),
        ...Object.entries(forged).map(([name, value]) => forge(name, value)),
      ];
      for (const more of [
        [],
        ['ProxyFCGISetEnvIf "true" !GUISE_KEY'],
        [forge('GUISE_KEY', 'ab'.repeat(32))],
        [forge('GUISE_KEY', '')],
        ['ProxyFCGISetEnvIf "true" !GUISE_KEY', forge('REDIRECT_GUISE_KEY', 'x')],
      ]) {
        htaccess(alice, ...handOver('admin.php', own), ...parameters, ...more);
        const reply = await get(guise.apache(alice), '/admin.php');
        t.equal(reply.status, 403);
        t.match(reply.text(), 'Reference: ');
      }
      htaccess(alice);
    });

    await t.test('two keys, one of them right', async (t) => {
      const honest = Object.entries(await paramsFor(instance, bob, '/admin.php', forged));
      for (const both of [
        [...honest, ['GUISE_KEY', 'x']],
        [['GUISE_KEY', 'x'], ...honest],
      ] as (readonly [string, string])[][]) {
        const client = await FcgiClient.connect(own);
        client.send(encodeBeginRequest(1, 1, 0), encodeParams(1, both), encodeRecord(5, 1));
        t.equal((await client.answer()).status, 403);
        client.end();
      }
    });

    await t.test('a script of hers that speaks FastCGI', async (t) => {
      const bytes = request(await paramsFor(instance, bob, '/admin.php', forged));
      const reply = await get(guise.apache(alice), `/speak.php?to=unix://${own}`, { body: bytes });
      t.notMatch(reply.text(), 'uid');
    });

    await t.test('parameters that mislead, scripts that are none', async (t) => {
      writeAs(bob, 'img.jpg', '<?php echo "the image runs";');
      const ask = async (more: Params) => askOnce(own, await paramsFor(instance, bob, '/server.php', more));
      const misled = await ask({
        PATH_TRANSLATED: `${bob.root}/admin.php`,
        REDIRECT_URL: '/admin.php',
        PATH_INFO: '/x',
      });
      t.equal((JSON.parse(misled.body) as Seen).file, `${bob.root}/server.php`);
      const settings = await ask({
        PHP_VALUE: 'memory_limit=777M',
        PHP_ADMIN_VALUE: 'x=y',
        HTTP_PROXY: 'http://evil',
      });
      t.notMatch(settings.body, /777M|evil|GUISE_KEY/);
      for (const script of ['/img.jpg', '/img.jpg/x.php', '/img.jpg\0.php', '/../secret.php', `2/x.php`]) {
        const answer = await ask({ SCRIPT_FILENAME: `${bob.root}${script}` });
        t.ok(answer.status >= 400, `${JSON.stringify(script)}: ${answer.status}`);
        t.notMatch(answer.body, 'the image runs');
      }
    });

    await t.test('a request in a body, on a connection that is to be kept', async (t) => {
      const admin = await paramsFor(instance, bob, '/admin.php', forged);
      const outer = await paramsFor(instance, bob, '/index.php', {
        REQUEST_METHOD: 'POST',
        CONTENT_LENGTH: '4',
      });
      const client = await FcgiClient.connect(own);
      client.send(
        request(outer, {
          keep: true,
          body: Buffer.concat([Buffer.from('name'), request(admin, { keep: true, id: 2 })]),
        }),
        request({ ...admin, GUISE_KEY: '' }, { keep: true, id: 3 }),
      );
      t.match((await client.answer()).body, 'front page');
      t.equal((await client.answer(3)).status, 403, 'what comes behind it has to have the key');
      client.send(request(await paramsFor(instance, bob, '/index.php'), { keep: true, id: 4 }));
      t.match((await client.answer(4)).body, 'front page', 'and the next answer is that of the next request');
      t.notOk(client.hasHeard, 'what stood in the body was none');
      client.end();
    });

    await t.test('bombs and nonsense end no worker', async (t) => {
      const honest = await paramsFor(instance, bob, '/index.php');
      const pids = async (): Promise<number[]> =>
        [...(await siteStatusOf(instance, bob.name)).workerPids].sort((a, b) => a - b);
      const before = await pids();
      const bombs = [
        request({ ...honest, HTTP_X: 'x'.repeat(4 << 20) }),
        request({
          ...honest,
          ...Object.fromEntries(Array.from({ length: 9000 }, (_, n) => [`HTTP_${n}`, 'x'])),
        }),
        Buffer.concat([
          encodeBeginRequest(1, 1, 0),
          encodeRecord(4, 1, Buffer.alloc(8, 0xff)),
          encodeRecord(4, 1),
          encodeRecord(5, 1),
        ]),
        request(honest, { body: Buffer.alloc(6 << 20) }),
      ];
      await Promise.all(bombs.map((bytes) => throwAt(own, bytes)));
      const end = performance.now() + 2500;
      let count = 0;
      while (performance.now() < end) {
        await Promise.all(Array.from({ length: 20 }, () => throwAt(own, nonsense(honest))));
        count += 20;
      }
      t.ok(count > 40, `${count} times`);
      const page = await until('an answer', async () => (await askOnce(own, honest)).body || undefined);
      t.equal(page, `front page of ${bob.name}`);
      t.same(await pids(), before, 'they are the same still');
    });
  },
  { bob: { args: ['--set', 'socket=own', '--set', 'dispatch=direct', '--max-workers', '4'] } },
);
