/**
 * lighttpd as `guise web lighttpd` configures it, and with `broken-scriptfilename`, where it sends
 * `SCRIPT_FILENAME=/root/t.php/foo`.
 */

import { get } from '../harness/http.js';
import { lighttpdFor } from '../harness/lighttpd.js';
import type { BodySeen, Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const sites = [
    await guise.addSite({ name: 'light.test', user: 'alice' }),
    await guise.addSite({ name: 'bright.test', user: 'bob', args: ['--mode', 'per-request'] }),
  ];
  for (const form of ['printed', 'broken'] as const) {
    const lighttpd = await lighttpdFor(world, sites, form);
    for (const site of sites)
      await t.test(`${form}: ${site.name}`, async (t) => {
        const at = lighttpd.at(site);
        for (let n = 0; n < 10; n += 1) {
          t.equal(((await get(at, '/whoami.php')).json() as Whoami).uid, site.user.uid);
        }
        const { server, file } = (await get(at, '/server.php/foo/bar?x=1')).json() as Seen;
        t.equal(file, `${site.root}/server.php`);
        t.match(server, { PATH_INFO: '/foo/bar', SCRIPT_NAME: '/server.php', QUERY_STRING: 'x=1' });
        t.match((await get(at, '/')).text(), 'front page');
        const body = (await get(at, '/body.php', { body: Buffer.alloc(700_000, 'l') })).json() as BodySeen;
        t.equal(body.length, 700_000);
        t.equal((await get(at, '/missing.php')).status, 404);
        t.equal((await get(at, '/big.php?bytes=5000000')).body.length, 5_000_000);
      });
  }
});
