/**
 * Very many parameters, very long ones, and lengths that lie: what a visitor's headers become, and what whoever reaches
 * the socket can send. Nobody else must notice, and no process may end over it.
 */

import { encodeBeginRequest, encodePairs, encodeRecord } from '../../src/fastcgi/encode.js';
import { FcgiClient, paramsFor, request } from '../harness/fcgi-client.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { peakMemoryKb } from '../harness/proc.js';
import { arena } from './arena.js';

await arena(async (t, { instance, alice, bob, fpm, guise }) => {
  const router = await instance.routerPid();
  /** Somebody else's visitor, at the same time. */
  const visited = async (site: Site): Promise<string> => (await get(guise.apache(site), '/index.php')).text();
  const send = async (bytes: Buffer): Promise<number | 'closed'> => {
    const client = await FcgiClient.connect(instance.socket);
    client.send(bytes);
    const answer = await client.answer().catch(() => undefined);
    client.end();
    return answer?.status ?? 'closed';
  };
  const honest = await paramsFor(instance, alice, '/index.php');
  const many = (count: number, length: number): Buffer => {
    const more = Array.from({ length: count }, (_, n) => [`HTTP_X_${n}`, 'x'.repeat(length)] as const);
    return request({ ...honest, ...Object.fromEntries(more) });
  };

  await t.test('php-fpm takes them all', async (t) => {
    const client = await FcgiClient.connect(fpm.service.listen(alice));
    // It wants each pair whole in one record.
    const records = Array.from({ length: 40 }, (_, n) =>
      encodeRecord(
        4,
        1,
        encodePairs(Array.from({ length: 500 }, (_, m) => [`HTTP_X_${n}_${m}`, 'x'.repeat(50)])),
      ),
    );
    const own = encodeRecord(4, 1, encodePairs(Object.entries(honest)));
    client.send(encodeBeginRequest(1, 1, 0), own, ...records, encodeRecord(4, 1), encodeRecord(5, 1));
    t.equal((await client.answer()).status, 200, 'a megabyte of parameters');
    client.end();
  });

  const bombs: readonly (readonly [string, Buffer, number | 'closed'])[] = [
    ['ten thousand parameters', many(10_000, 10), 431],
    ['a hundred long ones', many(100, 8000), 431],
    ['one of four megabytes', request({ ...honest, HTTP_X: 'x'.repeat(4 << 20) }), 431],
    [
      'a length of two gigabytes',
      Buffer.concat([
        encodeBeginRequest(1, 1, 0),
        encodeRecord(4, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        encodeRecord(4, 1),
        encodeRecord(5, 1),
      ]),
      400,
    ],
    ['as many as fit', many(900, 20), 200],
  ];
  for (const [what, bytes, expected] of bombs) {
    await t.test(`guise: ${what}`, async (t) => {
      const [status, other] = await Promise.all([send(bytes), visited(bob)]);
      t.equal(status, expected);
      t.equal(other, `front page of ${bob.name}`);
    });
  }

  await t.test(
    'guise: every size up to the limit is answered by PHP or refused, and no worker dies',
    async (t) => {
      const before = (await instance.siteStatus(alice.name)).crashed;
      const statuses = new Set<number | 'closed'>();
      for (const kib of [
        32, 60, 64, 100, 128, 160, 192, 200, 204, 208, 212, 216, 240, 248, 252, 256, 260, 300,
      ]) {
        for (const body of [0, 60_000]) {
          const parts = Array.from({ length: kib / 4 }, (_, n) => [`HTTP_X_${n}`, 'x'.repeat(4080)] as const);
          const big = {
            ...honest,
            ...Object.fromEntries(parts),
            REQUEST_METHOD: 'POST',
            CONTENT_LENGTH: String(body),
          };
          statuses.add(await send(request(big, { body: Buffer.alloc(body) })));
        }
      }
      t.same([...statuses].sort(), [200, 431]);
      t.equal((await instance.siteStatus(alice.name)).crashed, before);
    },
  );

  await t.test('guise: fifty at once cost little memory', async (t) => {
    await Promise.all(
      Array.from({ length: 50 }, () => send(request({ ...honest, HTTP_X: 'x'.repeat(1 << 20) }))),
    );
    t.equal(await instance.routerPid(), router, 'it is the same router still');
    t.ok(peakMemoryKb(router) < 400_000, `${peakMemoryKb(router)} KiB at most`);
    for (const site of [alice, bob]) t.equal(await visited(site), `front page of ${site.name}`);
  });
});
