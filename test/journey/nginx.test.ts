/** What `guise web nginx SITE` prints works as printed, and each habit of nginx is met. */

import { connect } from 'node:net';
import { until } from '../../src/quickstart/until.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'engine.test', user: 'alice' });
  const other = await guise.addSite({ name: 'other.test', user: 'bob', args: ['--max-workers', '1'] });
  const sites = [site, other];
  const large = 'client_header_buffer_size 32k; large_client_header_buffers 8 64k;';
  const upstreams = sites.map(
    (entry) => `upstream ${entry.name} { server unix:${guise.socket}; keepalive 8; }`,
  );
  const variants = [
    ['as printed', await nginxFor(world, sites, { before: large })],
    [
      'with fastcgi_keep_conn',
      await nginxFor(world, sites, {
        before: `${large}\nfastcgi_keep_conn on;\n${upstreams.join('\n')}`,
        edit: (printed, entry) => printed.replace(/fastcgi_pass [^;]+;/, `fastcgi_pass ${entry.name};`),
      }),
    ],
  ] as const;

  for (const [name, nginx] of variants) {
    const at = nginx.at(site);
    const ask = async (path: string, headers = {}): Promise<Seen> => {
      const reply = await get(at, path, { headers });
      t.equal(reply.status, 200, path);
      return reply.json() as Seen;
    };

    await t.test(`${name}: both sites, many times`, async (t) => {
      for (let n = 0; n < 20; n += 1) {
        for (const entry of sites) {
          const reply = await get(nginx.at(entry), '/whoami.php');
          t.equal((reply.json() as Whoami).uid, entry.user.uid);
        }
      }
    });

    await t.test(`${name}: what PHP sees`, async (t) => {
      const { server, file } = await ask('/server.php?a=1');
      t.equal(file, `${site.root}/server.php`);
      t.match(server, {
        SCRIPT_FILENAME: `${site.root}/server.php`,
        SCRIPT_NAME: '/server.php',
        QUERY_STRING: 'a=1',
        DOCUMENT_ROOT: site.root,
        REMOTE_ADDR: '127.0.0.1',
      });
      t.same(
        Object.keys(server).filter((key) => key.includes('GUISE')),
        [],
      );
      const info = await ask('/server.php/foo/bar');
      t.match(info.server, {
        PATH_INFO: '/foo/bar',
        SCRIPT_NAME: '/server.php',
        PHP_SELF: '/server.php/foo/bar',
      });
      t.match((await get(at, '/')).text(), 'front page');
    });

    await t.test(`${name}: one record of 21 kB of parameters, and a header sent twice`, async (t) => {
      const { server } = await ask('/server.php', { 'x-long': 'y'.repeat(21_000), 'x-twice': ['a', 'b'] });
      t.equal(server.HTTP_X_LONG, 'y'.repeat(21_000));
      t.ok(['a', 'b', 'a, b'].includes(String(server.HTTP_X_TWICE)), 'one of them, or both');
    });

    await t.test(`${name}: a Proxy header becomes no HTTP_PROXY`, async (t) => {
      t.notOk('HTTP_PROXY' in (await ask('/server.php', { proxy: 'http://evil.test' })).server);
    });

    await t.test(`${name}: a page that is no page is refused, not run`, async (t) => {
      writeAs(site, 'image.jpg', '<?php echo "ran";');
      for (const path of ['/image.jpg/x.php', '/missing.php', '/image.jpg/.php']) {
        const reply = await get(at, path);
        t.ok([403, 404].includes(reply.status), `${path}: ${reply.status}`);
        t.notMatch(reply.text(), /^ran/);
      }
    });

    await t.test(`${name}: a visitor who leaves gives the worker back`, async (t) => {
      const socket = connect(nginx.port, '127.0.0.1');
      socket.write('GET /slow.php?ms=2500 HTTP/1.1\r\nHost: other.test\r\n\r\n');
      await until(
        'the worker to be busy',
        async () => (await guise.siteStatus('other.test')).workers.busy === 1,
      );
      socket.destroy();
      const reply = await get(nginx.at(other), '/whoami.php', { deadlineMs: 15_000 });
      t.equal(reply.status, 200);
    });
  }

  await t.test("Debian's fastcgi_params, which name no script", async (t) => {
    const key = guise.keyOf(site.name);
    const nginx = await nginxFor(world, [site], {
      inside: () => `location ~ \\.php$ {
  include fastcgi_params;
  ${key === undefined ? '' : `fastcgi_param GUISE_KEY ${key};`}
  fastcgi_pass unix:${guise.socket};
}`,
    });
    const reply = await get(nginx.at(site), '/server.php');
    t.ok(reply.body.length > 0, 'never an empty page');
    if (reply.status === 200) t.equal((reply.json() as Seen).file, `${site.root}/server.php`);
    else t.ok([403, 404].includes(reply.status), `refused with ${reply.status}`);
  });
});
