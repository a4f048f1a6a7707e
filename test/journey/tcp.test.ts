/** Loopback TCP beside the Unix socket, for web servers that know nothing else: asked for, with keys only. */

import { createHash, randomBytes } from 'node:crypto';
import { layOut, guise as runGuise } from '../../src/quickstart/daemon.js';
import { freePorts } from '../../src/quickstart/ports.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { askOnce, FcgiClient, paramsFor, request } from '../harness/fcgi-client.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { BodySeen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const [port = 0] = await freePorts(1);
const ipv4 = { host: '127.0.0.1', port };
const ipv6 = { host: '::1', port };

await journey(
  async (t, world) => {
    const { guise } = world;
    const alice = await guise.addSite({ name: 'alice.test', user: 'alice' });
    const bob = await guise.addSite({ name: 'bob.test', user: 'bob', args: ['--mode', 'per-request'] });
    const open = await guise.addSite({
      name: 'open.test',
      user: 'carol',
      args: ['--set', 'key_required=false'],
    });
    const keyOf = (name: string): string => guise.keyOf(name) ?? '';
    const form = (target: string, more = '') => ({
      inside: ({ name }: { name: string }): string => `ProxyFCGIBackendType GENERIC
ProxyFCGISetEnvIf "true" GUISE_KEY "${keyOf(name)}"
<FilesMatch "\\.php$">
  SetHandler "proxy:${target}"
</FilesMatch>${more}`,
    });
    const toTcp = {
      edit: (text: string) => text.replace(/fastcgi_pass unix:.*;/, `fastcgi_pass [::1]:${port};`),
    };
    const kept = {
      before: `upstream kept { server 127.0.0.1:${port}; keepalive 4; }`,
      edit: (text: string) =>
        text.replace(/fastcgi_pass unix:.*;/, 'fastcgi_keep_conn on;\nfastcgi_pass kept;'),
    };
    const reuse = `\n<Proxy "fcgi://127.0.0.1:${port}/" enablereuse=on max=20>\n</Proxy>`;
    const servers = [
      ['Apache', await apacheFor(world, [alice, bob], form(`fcgi://127.0.0.1:${port}/`))],
      [
        'Apache that keeps connections',
        await apacheFor(world, [alice, bob], form(`fcgi://127.0.0.1:${port}/`, reuse)),
      ],
      ['nginx', await nginxFor(world, [alice, bob], toTcp)],
      ['nginx that keeps connections', await nginxFor(world, [alice, bob], kept)],
    ] as const;

    for (const [name, server] of servers) {
      await t.test(name, async (t) => {
        for (let n = 0; n < 5; n++) {
          for (const site of [alice, bob]) {
            const reply = await get(server.at(site), '/whoami.php');
            t.equal((reply.json() as Whoami).uid, site.user.uid);
          }
        }
        const body = randomBytes(6_000_000);
        const seen = (await get(server.at(alice), '/body.php', { body })).json() as BodySeen;
        t.match(seen, { length: body.length, sha256: createHash('sha256').update(body).digest('hex') });
        const missing = await get(server.at(alice), '/missing.php');
        t.equal(missing.status, 404);
      });
    }

    await t.test('a key decides, and nothing else', async (t) => {
      for (const where of [ipv4, ipv6]) {
        const good = await paramsFor(guise, alice, '/whoami.php');
        t.equal((await askOnce(where, good)).status, 200);
        t.equal((await askOnce(where, { ...good, GUISE_KEY: '', GUISE_SITE: 'alice.test' })).status, 403);
        t.equal((await askOnce(where, { ...good, GUISE_KEY: 'ab'.repeat(32) })).status, 403);
      }
    });

    await t.test('a site that wants no key is not reached without one', async (t) => {
      const all = Object.entries(await paramsFor(guise, open, '/whoami.php'));
      const keyless = Object.fromEntries(all.filter(([name]) => name !== 'GUISE_KEY'));
      t.equal((await askOnce(guise.socket, keyless)).status, 200, 'on the Unix socket it is');
      const refused = await askOnce(ipv4, keyless);
      t.equal(refused.status, 403);
      const id = /Reference: ([0-9a-f]+)/.exec(refused.body)?.[1] ?? 'none';
      t.match(await guise.logged(new RegExp(id)), [{ reason: 'no-key' }]);
      t.equal(
        (await askOnce(ipv4, await paramsFor(guise, open, '/whoami.php'))).status,
        200,
        'with its key it is',
      );
    });

    await t.test('a kept connection answers without delays', async (t) => {
      const client = await FcgiClient.connect(ipv4);
      const params = await paramsFor(guise, alice, '/whoami.php');
      const took: number[] = [];
      for (let id = 1; id <= 11; id++) {
        const started = performance.now();
        client.send(request(params, { id, keep: true }));
        t.equal((await client.answer(id)).status, 200);
        took.push(performance.now() - started);
      }
      client.end();
      // A small packet that waits for the acknowledgement of the one before waits 40 ms.
      t.ok(
        (took.sort((a, b) => a - b)[5] ?? 99) < 35,
        `half of them in ${took.map(Math.round).join(' ')} ms`,
      );
    });

    await t.test('an address that is taken is said so, and leaves nothing', async (t) => {
      const directory = `${world.directory}/second`;
      const second = layOut(
        directory,
        `[router]\nuser = "${guise.routerUser.name}"\nlisten = ["127.0.0.1:${port}"]\n`,
      );
      const { code, stderr } = await runGuise(second, ['daemon']);
      t.equal(code, 8);
      t.match(stderr, `127.0.0.1 port ${port}`);
      t.match(stderr, 'EADDRINUSE');
    });

    await t.test('any other address is refused', async (t) => {
      const addresses = 'listen = ["127.0.0.1:9000", "0.0.0.0:9000"]';
      const other = layOut(
        `${world.directory}/other`,
        `[router]\nuser = "${guise.routerUser.name}"\n${addresses}\n`,
      );
      const { code, stdout } = await runGuise(other, ['check']);
      t.equal(code, 1);
      t.match(stdout, /is no loopback address with a port/);
      t.match(stdout, /0\.0\.0\.0:9000/);
    });

    await t.test('a restarted router has the ports again, and stop closes them', async (t) => {
      guise.allowErrors(/router died/);
      const pid = await guise.routerPid();
      process.kill(pid, 'SIGKILL');
      await until('another router', async () => (await guise.routerPid()) !== pid);
      t.equal((await askOnce(ipv6, await paramsFor(guise, alice, '/whoami.php'))).status, 200);
      for (const [, server] of servers) await server.stop();
      await guise.stop();
      await t.rejects(FcgiClient.connect(ipv4), { code: 'ECONNREFUSED' });
      await t.rejects(FcgiClient.connect(ipv6), { code: 'ECONNREFUSED' });
    });
  },
  { router: `listen = ["127.0.0.1:${port}", "[::1]:${port}"]` },
);
