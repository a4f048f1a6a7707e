/** Bodies arrive whole whichever way they come: chunked, as a form with a file, slowly, too large, or not at all. */

import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Address, get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { BodySeen } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const unbuffered = 'fastcgi_request_buffering off;';

function* slices(data: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({
    name: 'up.test',
    user: 'alice',
    args: ['--max-workers', '1', '--set', 'max_body=8M'],
  });
  const servers: [string, Address][] = [
    ['Apache', (await apacheFor(world, [site])).at(site)],
    ['nginx', (await nginxFor(world, [site])).at(site)],
    ['nginx that streams', (await nginxFor(world, [site], { before: unbuffered })).at(site)],
  ];

  for (const [name, address] of servers) {
    for (const size of [0, 1, 8191, 65_536, 300_000, 3_000_000]) {
      await t.test(`${name}: a chunked upload of ${size} bytes`, async (t) => {
        const data = randomBytes(size);
        const body = Readable.from(slices(data, 50_001));
        const reply = await get(address, '/body.php', { method: 'POST', body });
        t.equal(reply.status, 200);
        const seen = reply.json() as BodySeen;
        t.equal(seen.length, size);
        t.equal(seen.sha256, sha256(data));
        if (size > 0) t.equal(seen.declared, String(size), 'PHP knows the length');
        t.equal(seen.encoding, null, 'and nothing of chunks');
      });
    }

    await t.test(`${name}: a form with a file`, async (t) => {
      const data = randomBytes(2_000_000);
      const form = new FormData();
      form.set('field', 'käse & co');
      form.set('file', new Blob([data]), 'file.bin');
      const encoded = new Response(form);
      const body = Buffer.from(await encoded.arrayBuffer());
      const headers = {
        'content-type': encoded.headers.get('content-type') ?? '',
        'content-length': body.length,
      };
      const reply = await get(address, '/upload.php', { body, headers });
      t.equal(reply.status, 200);
      const seen = reply.json() as Record<string, unknown>;
      t.match(seen, { error: 0, moved: true, size: data.length, sha256: sha256(data), field: 'käse & co' });
      t.ok(
        String(seen.tmp).startsWith(guise.instance.state),
        'it was kept in a directory of the site meanwhile',
      );
    });

    await t.test(`${name}: a body that is too large is refused with a page`, async (t) => {
      const reply = await get(address, '/body.php', { body: Buffer.alloc(9 * 1024 ** 2) });
      t.equal(reply.status, 413);
      t.ok(reply.text().length > 50, 'it says what happened');
    });

    await t.test(`${name}: an upload to a page that does not exist gets its 404`, async (t) => {
      const reply = await get(address, '/missing.php', { body: Buffer.alloc(4 * 1024 ** 2) });
      t.equal(reply.status, 404);
    });
  }

  await t.test('a slow upload takes no worker', async (t) => {
    for (const [name, address] of servers) {
      const slow = connect(address.port, '127.0.0.1');
      let answer = '';
      slow.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      slow.write(
        `POST /body.php HTTP/1.1\r\nHost: ${address.host}\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n`,
      );
      for (let part = 0; part < 9; part += 1) {
        slow.write(Buffer.alloc(10_000, 'x'));
        // The site has one worker only: were it waiting for this body, nobody else would be served.
        const reply = await get(address, '/whoami.php', { deadlineMs: 5000 });
        t.equal(reply.status, 200, `${name}: others are served after ${10 * (part + 1)} kB`);
      }
      t.equal(answer, '');
      slow.write(Buffer.alloc(10_000, 'x'));
      await until('the answer to the slow upload', () => answer.includes(sha256(Buffer.alloc(100_000, 'x'))));
      slow.destroy();
    }
  });

  await t.test('an upload that breaks off runs no PHP and costs nothing', async (t) => {
    const before = (await guise.siteStatus(site.name)).served;
    for (const [, address] of servers) {
      const broken = connect(address.port, '127.0.0.1');
      broken.write(
        `POST /body.php HTTP/1.1\r\nHost: ${address.host}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(30_000)}`,
      );
      await new Promise((resolve) => broken.once('connect', resolve));
      broken.destroy();
    }
    const reply = await get((servers[0] as [string, Address])[1], '/whoami.php');
    t.equal(reply.status, 200);
    await until(
      'the counter to see that one request',
      async () => (await guise.siteStatus(site.name)).served > before,
    );
    t.equal((await guise.siteStatus(site.name)).served, before + 1, 'only the complete request was run');
  });
});
