/** A crash costs the request that crashed, and only that. It is answered with a page and written down. */

import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/SIGKILL|SIGSEGV|crash/i);
  const sites = [
    await guise.addSite({ name: 'pool.test', user: 'alice' }),
    await guise.addSite({ name: 'fresh.test', user: 'bob', args: ['--mode', 'per-request'] }),
  ];
  const servers = [await apacheFor(world, sites), await nginxFor(world, sites)];

  for (const site of sites) {
    for (const server of servers) {
      const address = server.at(site);
      const label = `${site.name} behind ${server === servers[0] ? 'Apache' : 'nginx'}`;

      for (const [how, signal, number] of [
        ['kill', 'SIGKILL', 9],
        ['segv', 'SIGSEGV', 11],
      ] as const) {
        await t.test(`${label}: ${signal} before anything was sent`, async (t) => {
          const neighbours = Array.from({ length: 4 }, () => get(address, '/slow.php?ms=300'));
          const reply = await get(address, `/crash.php?how=${how}`);
          t.equal(reply.status, 502);
          t.match(reply.headers['content-type'], 'text/html');
          t.ok(reply.text().length > 50, 'the page says something');
          t.notMatch(reply.text(), site.root, 'but nothing about the machine');
          for (const other of await Promise.all(neighbours))
            t.equal(other.status, 200, 'others are not disturbed');
          await until('a line in the log with site and signal', () =>
            guise
              .log()
              .some((line) => line.site === site.name && [signal, number].includes(line.signal as never)),
          );
        });
      }

      await t.test(`${label}: exit(255)`, async (t) => {
        const reply = await get(address, '/crash.php?how=exit');
        t.ok([200, 500].includes(reply.status), 'is no crash: PHP ends the page itself');
        t.equal((await get(address, '/whoami.php')).status, 200);
      });

      await t.test(`${label}: a fatal error in PHP`, async (t) => {
        const reply = await get(address, '/crash.php?how=fatal');
        t.equal(reply.status, 500);
        t.equal((await get(address, '/whoami.php')).status, 200);
      });

      await t.test(`${label}: in the middle of a page`, async (t) => {
        // Apache that has not yet looked for an answer when the process dies sends a page of its own.
        const whole = await get(address, '/crash.php?how=after').catch(() => undefined);
        t.ok(
          whole === undefined || whole.status === 503,
          `the visitor can see that the page is incomplete: ${whole?.status}`,
        );
        t.equal((await get(address, '/whoami.php')).status, 200);
      });
    }
  }

  await t.test('status counts them, for the site that crashed', async (t) => {
    for (const site of sites) t.equal((await guise.siteStatus(site.name)).crashed, 6, site.name);
  });
});
