/**
 * Malformed messages on the control socket, which the daemon that is root answers; and whoever may not speak there: a
 * script of a tenant, and a tenant's .htaccess, which makes the web server speak.
 */

import { connect } from 'node:net';
import { until } from '../../src/quickstart/until.js';
import { get } from '../harness/http.js';
import { descriptors, ownMemoryKb } from '../harness/proc.js';
import { arena, htaccess } from './arena.js';

const many = 200;

/** Says these bytes and answers with what comes back until the peer closes, or until it is silent for a second. */
async function say(path: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(path);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.setTimeout(1000, () => socket.destroy());
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve)); // also where it is reset
  return Buffer.concat(chunks).toString('latin1');
}

const post = (path: string, body: string, length = Buffer.byteLength(body)): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;

await arena(async (t, { instance, alice, guise }) => {
  const path = `${instance.instance.run}/control.sock`;
  const { pid } = instance;
  instance.allowErrors(/control socket/);
  const http = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

  await t.test('it answers whoever may speak', async (t) => {
    t.match(await say(path, http('/ping')), /^HTTP\/1.1 200 /);
  });

  const nested = '['.repeat(50_000);
  const malformed: readonly (readonly [string, string | Buffer])[] = [
    ['nothing of HTTP', '\0\x01\x02\x03\xff'.repeat(1000)],
    ['half a request', 'GET /ping HTTP/1.1\r\nHost'],
    ['an endless header', `GET /ping HTTP/1.1\r\nX: ${'x'.repeat(200_000)}`],
    ['very many headers', `GET /ping HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`],
    ['an endless path', http(`/${'x'.repeat(200_000)}`)],
    ['no JSON', post('/sites', '{"name":')],
    ['nested JSON', post('/sites', nested)],
    [
      'a prototype',
      post('/sites', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    ],
    ['a name with slashes', post('/sites', '{"name":"../../../etc/evil","root":"/tmp","user":"root"}')],
    ['root as a user', post('/sites', '{"name":"evil.test","root":"/tmp","user":"root"}')],
    ['numbers as names', post('/sites', '{"name":1e309,"root":[],"user":{}}')],
    ['a body that is too large', post('/sites', 'x'.repeat(500_000))],
    ['a length that lies', post('/sites', '{}', 100_000)],
    ['a length that is none', 'POST /sites HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}'],
    [
      'chunks without end',
      'POST /sites HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\nx',
    ],
    ['encoded slashes', http('/sites/..%2f..%2fetc%2fpasswd')],
    ['broken encoding', http('/sites/%ff%fe%zz')],
    ['an unknown site', http('/sites/__proto__')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['FastCGI', Buffer.from([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])],
  ];
  await t.test('malformed messages cost their connection and nothing else', async (t) => {
    await Promise.all(
      malformed.map(async ([what, bytes]) => {
        t.notMatch(await say(path, bytes), /^HTTP\/1.1 20[01]/, what);
      }),
    );
    t.match(await say(path, http('/ping')), /^HTTP\/1.1 200 /);
    t.equal(instance.exit(), undefined);
    t.same(
      (await instance.status()).sites.map((site) => site.name),
      ['alice.test', 'bob.test'],
    );
    t.notOk('polluted' in {});
  });

  await t.test('hundreds of connections that say nothing, and it is there afterwards', async (t) => {
    const before = descriptors(pid).length;
    const sockets = Array.from({ length: many }, () => connect(path));
    for (const socket of sockets) socket.on('error', () => undefined);
    await until(
      'most of them to be turned away',
      () => sockets.filter((socket) => socket.destroyed).length > many / 2,
    );
    for (const socket of sockets) socket.destroy();
    await until('their end', () => descriptors(pid).length <= before + 2);
    t.match(await say(path, http('/ping')), /^HTTP\/1.1 200 /);
    t.ok(ownMemoryKb(pid) < 300_000);
  });

  await t.test('a script may not speak there', async (t) => {
    const reply = await get(guise.apache(alice), `/speak.php?to=unix://${path}`, { body: http('/stop') });
    t.notMatch(reply.text(), /HTTP\/1.1 20/);
  });

  await t.test('nor the web server, at a tenant’s word', async (t) => {
    for (const target of ['ping', 'status', 'stop', 'sites']) {
      htaccess(
        alice,
        'RewriteEngine On',
        `RewriteRule ^control$ unix:${path}|http://localhost/${target} [P]`,
      );
      const reply = await get(guise.apache(alice), '/control', {
        method: target === 'stop' ? 'POST' : 'GET',
      });
      t.ok(reply.status >= 400, `${target}: ${reply.status}`);
      t.notMatch(reply.text(), String(pid));
    }
    t.equal(instance.exit(), undefined, 'the daemon has not been stopped');
    t.match(await say(path, http('/ping')), /^HTTP\/1.1 200 /);
  });
});
