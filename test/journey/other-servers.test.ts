/** HAProxy and Caddy: fewer people use them in front of PHP, and each has habits of its own. */

import { randomBytes } from 'node:crypto';
import { caddyFor } from '../harness/caddy.js';
import { haproxyFor } from '../harness/haproxy.js';
import { get, raw } from '../harness/http.js';
import type { BodySeen, Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

/** A chunked upload, byte for byte, since a server that refuses it may close before it has read everything. */
function sendChunked(port: number, host: string, data: Buffer): Promise<string> {
  const head = `POST /body.php HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const size = data.length.toString(16);
  return raw(port, Buffer.concat([Buffer.from(`${head}${size}\r\n`), data, Buffer.from('\r\n0\r\n\r\n')]));
}

await journey(async (t, world) => {
  const { guise } = world;
  const sites = [
    await guise.addSite({ name: 'first.test', user: 'alice' }),
    await guise.addSite({ name: 'second.test', user: 'bob', args: ['--mode', 'per-request'] }),
  ];
  for (const [name, server] of [
    ['HAProxy', await haproxyFor(world, sites)],
    ['Caddy', await caddyFor(world, sites)],
  ] as const) {
    for (const site of sites) {
      const at = server.at(site);

      await t.test(`${name}, ${site.name}: as its user, again and again`, async (t) => {
        for (let n = 0; n < 10; n += 1) {
          t.equal(((await get(at, '/whoami.php')).json() as Whoami).uid, site.user.uid);
        }
      });

      await t.test(`${name}, ${site.name}: what PHP sees`, async (t) => {
        const { server: seen, file } = (await get(at, '/server.php/foo/bar?x=1')).json() as Seen;
        t.equal(file, `${site.root}/server.php`);
        t.match(seen, { PATH_INFO: '/foo/bar', SCRIPT_NAME: '/server.php', QUERY_STRING: 'x=1' });
        const plain = (
          await get(at, '/server.php', { headers: { proxy: 'http://evil.test' } })
        ).json() as Seen;
        t.notOk('HTTP_PROXY' in plain.server, 'Caddy passes it on, guise does not');
        t.equal(plain.server.QUERY_STRING ?? '', '');
        const missing = await get(at, '/missing.php');
        // Caddy sends everything that is not there to the front controller.
        if (name === 'HAProxy') t.equal(missing.status, 404);
        else t.match(missing.text(), 'front page');
      });

      await t.test(`${name}, ${site.name}: bodies`, async (t) => {
        const data = randomBytes(20_000);
        const sent = (await get(at, '/body.php', { body: data })).json() as BodySeen;
        t.equal(sent.length, data.length);
        const chunked = await sendChunked(server.port, site.name, data);
        // HAProxy answers chunked uploads to FastCGI itself; Caddy says CONTENT_LENGTH=-1.
        if (name === 'HAProxy') t.match(chunked, /^HTTP\/1\.1 400 /);
        else t.match(chunked, `"length":${data.length}`);
        t.equal((await get(at, '/big.php?bytes=3000000')).body.length, 3_000_000);
      });

      await t.test(`${name}, ${site.name}: a crash`, async (t) => {
        t.equal((await get(at, '/crash.php?how=kill')).status, 502);
        t.equal((await get(at, '/whoami.php')).status, 200);
      });
    }
  }
});
