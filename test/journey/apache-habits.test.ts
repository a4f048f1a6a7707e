/** What Apache really sends and how it ends connections: one test for each habit that surprised somebody. */

import { connect } from 'node:net';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { formNamed, inForm } from '../harness/apache-forms.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import type { ChildSeen, Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'habit.test', user: 'alice' });
  const one = await guise.addSite({
    name: 'one.test',
    user: 'alice',
    args: [
      '--max-workers',
      '1',
      '--set',
      'queue_length=2',
      '--set',
      'queue_timeout=1s',
      '--set',
      'time_limit=3s',
    ],
  });
  const victim = await guise.addSite({ name: 'victim.test', user: 'bob' });
  const handler = formNamed('handler');
  const inside = (entry: Site) => inForm(handler, guise, entry);
  const apache = await apacheFor(world, [site, one, victim], {
    modules: ['rewrite'],
    inside,
  });
  const at = apache.at(site);

  await t.test('a tenant forges parameters in .htaccess', async (t) => {
    writeAs(victim, 'secret.php', '<?php echo "the secret of ", posix_getuid();');
    for (const [name, lines] of [
      ['the script of another', `ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "${victim.root}/secret.php"`],
      [
        'both names of it',
        `ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "${victim.root}/secret.php"
ProxyFCGISetEnvIf "true" DOCUMENT_ROOT "${victim.root}"`,
      ],
      [
        'the name of another',
        'ProxyFCGISetEnvIf "true" SERVER_NAME "victim.test"\nProxyFCGISetEnvIf "true" HTTP_HOST "victim.test"',
      ],
      [
        'PATH_TRANSLATED',
        `ProxyFCGISetEnvIf "true" PATH_TRANSLATED "${victim.root}/secret.php"
ProxyFCGISetEnvIf "true" REDIRECT_URL "/secret.php"`,
      ],
      [
        'settings',
        'ProxyFCGISetEnvIf "true" PHP_VALUE "auto_prepend_file=/etc/passwd"\nProxyFCGISetEnvIf "true" PHPRC "/tmp"',
      ],
    ] as const) {
      writeAs(site, 'forge/.htaccess', lines);
      writeAs(site, 'forge/whoami.php', '<?php require dirname(__DIR__) . "/whoami.php";');
      const reply = await get(at, '/forge/whoami.php');
      const text = reply.text();
      t.notMatch(text, 'the secret of', `${name}: the other site's script does not run`);
      t.notMatch(text, 'root:x:0', `${name}: no foreign setting holds`);
      if (reply.status === 200) t.equal((reply.json() as Whoami).uid, site.user.uid, `${name}: still alice`);
      else t.ok([403, 404].includes(reply.status), `${name}: refused with ${reply.status}`);
    }
  });

  await t.test('parameters never become the environment of programs', async (t) => {
    const headers = { proxy: 'http://evil.test/', 'x-evil': 'yes' };
    const seen = (await get(at, '/child.php', { headers })).json() as ChildSeen;
    const names = seen.environment.map((line) => line.split('=')[0] ?? '');
    for (const name of names)
      t.notMatch(name, /^(HTTP_|GUISE|LD_|REDIRECT_|SCRIPT_|proxy-|PHP_VALUE|PHPRC)/, name);
    t.notMatch(seen.environment.join('\n'), 'evil');
    // Descriptor 0 is php-cgi's: a socket that was never connected to anything.
    const sockets = seen.descriptors.filter(
      (line) => /socket:|memfd|anon_inode/.test(line) && !/ 0 -> /.test(line),
    );
    t.same(sockets, [], 'a program inherits no connection');
    const { server } = (await get(at, '/server.php', { headers })).json() as Seen;
    t.notOk('HTTP_PROXY' in server, 'httpoxy');
    t.equal(server.HTTP_X_EVIL, 'yes');
  });

  await t.test('30 kB of parameters, several records', async (t) => {
    const headers = Object.fromEntries(
      Array.from({ length: 6 }, (_, n) => [`x-long-${n}`, String(n).repeat(5000)]),
    );
    const { server } = (await get(at, '/server.php', { headers })).json() as Seen;
    for (let n = 0; n < 6; n += 1) t.equal(server[`HTTP_X_LONG_${n}`], String(n).repeat(5000));
  });

  await t.test('a header that is sent twice arrives joined', async (t) => {
    const { server } = (await get(at, '/server.php', { headers: { 'x-twice': ['a', 'b'] } })).json() as Seen;
    t.equal(server.HTTP_X_TWICE, 'a, b');
  });

  await t.test('a page in pieces arrives whole, flushed again and again', async (t) => {
    const reply = await get(at, '/pieces.php');
    t.equal(reply.text(), 'piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n');
  });

  await t.test("what PHP complains about goes to the site's log", async (t) => {
    writeAs(site, 'complain.php', '<?php error_log("a complaint of this site"); echo "ok";');
    t.equal((await get(at, '/complain.php')).text(), 'ok');
    const file = `${guise.instance.log}/sites/habit.test/php.log`;
    await until('the complaint', () => readText(file).includes('a complaint of this site'));
  });

  await t.test('a full queue is a 503 with a page, never an empty 200', async (t) => {
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => get(apache.at(one), '/slow.php?ms=700')),
    );
    const refused = replies.filter((reply) => reply.status !== 200);
    t.ok(refused.length >= 4, `${refused.length} of 8 refused`);
    for (const reply of refused) {
      t.equal(reply.status, 503);
      t.ok(reply.headers['retry-after'], 'says when to come again');
      t.ok(reply.body.length > 50, 'with a page');
    }
    for (const reply of replies) t.ok(reply.body.length > 0, 'nothing is empty');
  });

  await t.test('a script that runs too long is a 504', async (t) => {
    const started = performance.now();
    const reply = await get(apache.at(one), '/slow.php?ms=30000');
    t.equal(reply.status, 504);
    t.ok(performance.now() - started < 15_000, 'long before the script would have ended');
    t.equal((await get(apache.at(one), '/whoami.php')).status, 200, 'and the next is served');
    guise.allowErrors(/time.?limit|too long/i);
  });

  await t.test('a visitor who leaves disturbs nobody', async (t) => {
    for (let n = 0; n < 5; n += 1) {
      const socket = connect(apache.port, '127.0.0.1');
      socket.write(`GET /slow.php?ms=300 HTTP/1.1\r\nHost: one.test\r\n\r\n`);
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.destroy();
    }
    await until(
      'the worker to be free',
      async () => (await get(apache.at(one), '/whoami.php')).status === 200,
    );
    t.ok(true, 'served again');
  });

  await t.test('Authorization arrives only with CGIPassAuth', async (t) => {
    const headers = { authorization: 'Bearer of-nothing' };
    const without = (await get(at, '/server.php', { headers })).json() as Seen;
    t.notOk('HTTP_AUTHORIZATION' in without.server);
    writeAs(site, 'auth/.htaccess', 'CGIPassAuth On');
    writeAs(site, 'auth/server.php', '<?php require dirname(__DIR__) . "/server.php";');
    const passed = (await get(at, '/auth/server.php', { headers })).json() as Seen;
    t.equal(passed.server.HTTP_AUTHORIZATION, 'Bearer of-nothing');
  });
});
