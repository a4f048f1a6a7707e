/** 200 MB go in and come out intact, through Apache and through nginx, and the router does not grow by it. */

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { apacheFor } from '../harness/apache.js';
import { type Address, get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import { type BodySeen, bigBlock } from '../harness/php-pages.js';
import { peakMemoryKb } from '../harness/proc.js';
import { journey } from '../harness/world.js';

const blocks = 3200;
const bytes = blocks * 65_536;

function* allBlocks(): Generator<Buffer> {
  for (let block = 0; block < blocks; block += 1) yield bigBlock(block);
}

const whole = createHash('sha256');
for (const block of allBlocks()) whole.update(block);
const sha256 = whole.digest('hex');

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'large.test', user: 'alice' });
  const apache = await apacheFor(world, [site]);
  const nginx = await nginxFor(world, [site]);
  const servers: [string, Address][] = [
    ['Apache', apache.at(site)],
    ['nginx', nginx.at(site)],
  ];
  for (const [name, address] of servers) {
    await get(address, '/body.php', { body: 'x' });
    const router = await guise.routerPid();
    const before = peakMemoryKb(router);

    await t.test(`an upload of 200 MB through ${name}`, async (t) => {
      const headers = { 'content-length': bytes };
      const reply = await get(address, '/body.php', {
        body: Readable.from(allBlocks()),
        headers,
        deadlineMs: 90_000,
      });
      t.equal(reply.status, 200);
      const seen = reply.json() as BodySeen;
      t.equal(seen.length, bytes);
      t.equal(seen.sha256, sha256);
    });

    await t.test(`an answer of 200 MB through ${name}`, async (t) => {
      const hash = createHash('sha256');
      let length = 0;
      const onData = (chunk: Buffer): void => {
        length += chunk.length;
        hash.update(chunk);
      };
      const reply = await get(address, `/big.php?bytes=${bytes}`, { onData, deadlineMs: 90_000 });
      t.equal(reply.status, 200);
      t.equal(length, bytes);
      t.equal(hash.digest('hex'), sha256);
    });

    const grown = peakMemoryKb(router) - before;
    t.equal(await guise.routerPid(), router, 'the router is the same process');
    t.ok(grown < 48 * 1024, `the router grew by ${grown} KiB`);
  }
});
