/**
 * What PHP sees of the parameters: the table "Which file does php-cgi open?" with every dangerous combination, for
 * both settings of cgi.fix_pathinfo, and what is taken out, added or corrected.
 */

import t, { type Test } from 'tap';
import { noteRefused } from '../../src/control/worker-messages.js';
import { scriptReason } from '../../src/router/refusals.js';
import { type Answer, Rig } from './rig.js';

const dump = '<?php echo "\\n", json_encode(["file" => __FILE__, "server" => $_SERVER, "get" => $_GET]);';

interface Seen {
  readonly file: string;
  readonly server: Readonly<Record<string, string>>;
}

async function rigFor(t: Test, phpArgs: readonly string[] = []): Promise<Rig> {
  const rig = new Rig({ phpArgs });
  t.teardown(() => rig.stop());
  rig.file('a.php', dump);
  rig.file('t.php', dump);
  rig.file('img.jpg', dump);
  rig.file('with space.php', dump);
  rig.file('literal%20percent.php', dump);
  await rig.start();
  await rig.fork(1);
  return rig;
}

function seen(answer: Answer): Seen {
  return JSON.parse(answer.stdout.split('\r\n\r\n')[1] ?? '') as Seen;
}

function resultOf(rig: Rig, answer: Answer): string {
  if (answer.note.type === noteRefused) return scriptReason(answer.note.status);
  const { file, server } = seen(answer);
  return `${file.slice(rig.root.length)} ${server.PATH_INFO ?? '-'} ${server.PHP_SELF ?? '-'}`;
}

for (const fixPathinfo of ['1', '0']) {
  t.test(`which file runs, with cgi.fix_pathinfo=${fixPathinfo}`, async (t) => {
    const rig = await rigFor(t, ['-d', `cgi.fix_pathinfo=${fixPathinfo}`]);
    const { root } = rig;
    const table: readonly (readonly [Record<string, string>, string])[] = [
      [{ SCRIPT_FILENAME: `${root}/t.php`, SCRIPT_NAME: '/t.php' }, '/t.php - /t.php'],
      [{ SCRIPT_FILENAME: `proxy:fcgi://name/${root}/t.php`, SCRIPT_NAME: '/t.php' }, '/t.php - /t.php'],
      [
        { SCRIPT_FILENAME: `proxy:fcgi://127.0.0.1:9000${root}/t.php`, SCRIPT_NAME: '/t.php' },
        '/t.php - /t.php',
      ],
      [{ SCRIPT_FILENAME: `proxy:balancer://pool/${root}/t.php`, SCRIPT_NAME: '/t.php' }, '/t.php - /t.php'],
      // ProxyPassMatch with ProxyFCGIBackendType GENERIC: no prefix, and the URL's path as it came.
      [
        {
          SCRIPT_FILENAME: `${root}//with%20space.php/in%20fo`,
          SCRIPT_NAME: '/with space.php/in fo',
          REQUEST_URI: '/with%20space.php/in%20fo?a=%20',
        },
        '/with space.php /in fo /with space.php/in fo',
      ],
      [
        {
          SCRIPT_FILENAME: `${root}/literal%20percent.php`,
          SCRIPT_NAME: '/literal%20percent.php',
          REQUEST_URI: '/literal%2520percent.php',
        },
        '/literal%20percent.php - /literal%20percent.php',
      ],
      [{ SCRIPT_FILENAME: `${root}/%2e%2e/t.php`, REQUEST_URI: '/%2e%2e/t.php' }, 'script-bad-path'],
      [{ SCRIPT_FILENAME: `${root}/t.php%00.php`, REQUEST_URI: '/t.php%00.php' }, 'script-not-found'],
      [{ SCRIPT_FILENAME: `${root}/img.jpg` }, 'script-suffix'],
      [{ SCRIPT_FILENAME: `${root}/img.jpg/x.php` }, 'script-suffix'],
      [
        {
          SCRIPT_FILENAME: `${root}/a.php`,
          SCRIPT_NAME: '/a.php',
          PATH_TRANSLATED: `${root}/t.php`,
          REDIRECT_URL: '/t.php',
        },
        '/a.php - /a.php',
      ],
      [
        { SCRIPT_FILENAME: `${root}/a.php`, SCRIPT_NAME: '/a.php', PATH_TRANSLATED: `${root}/t.php` },
        '/a.php - /a.php',
      ],
      [
        {
          SCRIPT_FILENAME: `${root}/t.php`,
          SCRIPT_NAME: '/t.php',
          PATH_INFO: '/foo',
          PATH_TRANSLATED: `${root}/foo`,
          REDIRECT_URL: '/pretty/foo',
        },
        '/t.php /foo /t.php/foo',
      ],
      [
        { SCRIPT_FILENAME: `${root}/t.php`, SCRIPT_NAME: '/t.php', PATH_INFO: '/foo' },
        '/t.php /foo /t.php/foo',
      ],
      [{ SCRIPT_FILENAME: `${root}/t.php/foo`, SCRIPT_NAME: '/t.php/foo' }, '/t.php /foo /t.php/foo'],
      [{ SCRIPT_FILENAME: `${root}/t.php/`, SCRIPT_NAME: '/t.php/' }, '/t.php / /t.php/'],
      [
        {
          SCRIPT_FILENAME: `proxy:fcgi://x/${root}/with%20space.php/a/b`,
          SCRIPT_NAME: '/with space.php/a/b',
        },
        '/with space.php /a/b /with space.php/a/b',
      ],
      [
        {
          SCRIPT_FILENAME: `proxy:fcgi://x/${root}/literal%20percent.php`,
          SCRIPT_NAME: '/literal%20percent.php',
        },
        '/literal%20percent.php - /literal%20percent.php',
      ],
      [{ SCRIPT_FILENAME: `${root}/with%20space.php` }, 'script-not-found'],
      [{ SCRIPT_FILENAME: `proxy:fcgi://x/${root}/x%00.php` }, 'script-not-found'],
      [{ SCRIPT_FILENAME: `proxy:fcgi://x/${root}/%2e%2e/www/t.php` }, 'script-bad-path'],
      [{ SCRIPT_FILENAME: `proxy:fcgi://x/${root}/%2e%2e/%2e%2e/etc/passwd` }, 'script-bad-path'],
      [{ SCRIPT_FILENAME: `proxy:fcgi://x/${root}/t.php?q=1`, SCRIPT_NAME: '/t.php' }, '/t.php - /t.php'],
      [{ PATH_TRANSLATED: `${root}/t.php` }, 'script-not-named'],
    ];
    for (const [params, expected] of table) {
      const result = resultOf(rig, await rig.run({ REQUEST_METHOD: 'GET', ...params }));
      // With PATH_INFO switched off in PHP, PHP_SELF is the script's name.
      const got = fixPathinfo === '1' ? result : result.split(' ')[0];
      t.equal(got, fixPathinfo === '1' ? expected : expected.split(' ')[0], JSON.stringify(params));
    }
  });
}

t.test('what is taken out', async (t) => {
  const rig = await rigFor(t);
  const harmful = {
    GUISE_KEY: 'secret',
    REDIRECT_GUISE_KEY: 'secret',
    REDIRECT_REDIRECT_GUISE_KEY: 'secret',
    GUISE_SITE: 'x',
    HTTP_PROXY: 'http://evil/',
    PHP_VALUE: 'memory_limit=7M',
    PHP_ADMIN_VALUE: 'memory_limit=7M',
    PHPRC: '/tmp',
    PHP_INI_SCAN_DIR: '/tmp',
    LD_PRELOAD: '/tmp/x.so',
    ORIG_SCRIPT_FILENAME: '/etc/passwd',
    ORIG_PATH_TRANSLATED: '/etc/passwd',
    HTTP_TRANSFER_ENCODING: 'chunked',
    'WITH SPACE': 'x',
    'WITH=EQUALS': 'x',
    '': 'nameless',
  };
  const { server } = seen(
    await rig.run({
      ...harmful,
      SCRIPT_FILENAME: `${rig.root}/a.php`,
      REQUEST_METHOD: 'GET',
      HTTP_HOST: 'ok.test',
    }),
  );
  for (const name of Object.keys(harmful)) t.notHas(server, { [name]: /.*/ }, name);
  t.notMatch(JSON.stringify(server), /secret|evil|nameless/);
  t.equal(server.HTTP_HOST, 'ok.test', 'the rest stays');
});

t.test('what is corrected', async (t) => {
  const rig = await rigFor(t);
  const script = { SCRIPT_FILENAME: `${rig.root}/a.php`, REQUEST_METHOD: 'POST', CONTENT_TYPE: 'text/plain' };
  const body = Buffer.from('hello');
  for (const wrong of ['', '-1', 'many', '4', '6000']) {
    const { server } = seen(await rig.run({ ...script, CONTENT_LENGTH: wrong }, body));
    t.equal(server.CONTENT_LENGTH, '5', `CONTENT_LENGTH=${JSON.stringify(wrong)}`);
  }
  t.equal(seen(await rig.run(script, body)).server.CONTENT_LENGTH, '5', 'CONTENT_LENGTH missing');
  t.equal(seen(await rig.run({ ...script, CONTENT_LENGTH: '10' })).server.CONTENT_LENGTH, '0', 'no body');
  t.notHas(seen(await rig.run(script)).server, { CONTENT_LENGTH: /.*/ }, 'none is made up');
  const plain = seen(
    await rig.run({ SCRIPT_FILENAME: `${rig.root}/a.php`, REQUEST_METHOD: 'GET', REDIRECT_URL: '/x' }),
  );
  t.equal(plain.server.DOCUMENT_ROOT, rig.root, 'the root where the web server says none');
  t.equal(plain.server.REDIRECT_URL, '/x', 'without PATH_INFO an application may see it');
});

t.test('the last of two, as in PHP, is the one that is checked', async (t) => {
  const rig = await rigFor(t);
  const pair = (value: string): Buffer =>
    Buffer.concat([Buffer.from([15, value.length]), Buffer.from(`SCRIPT_FILENAME${value}`)]);
  const twice = Buffer.concat([pair(`${rig.root}/a.php`), pair(`${rig.root}/t.php`)]);
  t.equal(seen(await rig.runRaw(twice)).file, `${rig.root}/t.php`);
});

t.test('many and long parameters', async (t) => {
  const rig = await rigFor(t);
  const params: Record<string, string> = { SCRIPT_FILENAME: `${rig.root}/a.php`, REQUEST_METHOD: 'GET' };
  for (let i = 0; i < 40; i++) params[`HTTP_X_LONG_${i}`] = String(i).repeat(1200);
  params.HTTP_X_HUGE = 'h'.repeat(60_000);
  const { server } = seen(await rig.run(params));
  for (const [name, value] of Object.entries(params)) t.ok(server[name] === value, name);
});
