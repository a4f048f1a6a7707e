/** What `guise web apache SITE` prints works as printed: over HTTP/1.1 and HTTP/2, with .htaccess and with passwords. */

import { writeFileSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get, get2 } from '../harness/http.js';
import type { BodySeen, Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
/** "secret", as `htpasswd -s` writes it. */
const password = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({
    name: 'printed.test',
    user: 'alice',
    args: ['--alias', 'www.printed.test'],
  });
  const other = await guise.addSite({ name: 'other.test', user: 'bob' });
  writeFileSync(`${world.directory}/passwords`, `carol:${password}\n`);

  writeAs(
    site,
    '.htaccess',
    `RewriteEngine On
RewriteRule ^pretty/(.*)$ server.php?page=$1 [QSA,L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule ^app/(.*)$ server.php/$1 [L]
`,
  );
  for (const name of ['private/.htaccess']) {
    writeAs(
      site,
      name,
      `AuthType Basic
AuthName "members"
AuthUserFile ${world.directory}/passwords
Require valid-user
`,
    );
    writeAs(site, name.replace('.htaccess', 'index.php'), '<?php require dirname(__DIR__) . "/server.php";');
  }
  const modules = ['http2', 'rewrite', 'auth_basic', 'authn_core', 'authn_file', 'authz_user', 'actions'];
  const apache = await apacheFor(world, [site, other], {
    modules,
    before: 'Protocols h2c http/1.1',
  });
  const seen = async (path: string): Promise<Seen> => (await get(apache.at(site), path)).json() as Seen;

  await t.test('HTTP/1.1 and the directory index', async (t) => {
    t.equal(((await get(apache.at(site), '/whoami.php')).json() as Whoami).uid, site.user.uid);
    t.equal(((await get(apache.at(other), '/whoami.php')).json() as Whoami).uid, other.user.uid);
    t.match((await get(apache.at(site), '/')).text(), 'front page');
  });

  await t.test('HTTP/2', async (t) => {
    const reply = await get2(apache.at(site), '/server.php/info?x=1');
    t.equal(reply.status, 200);
    const { server } = reply.json() as Seen;
    t.match(server, { SERVER_PROTOCOL: 'HTTP/2.0', PATH_INFO: '/info', QUERY_STRING: 'x=1' });
    const body = Buffer.alloc(500_000, 'h2');
    const posted = (await get2(apache.at(site), '/body.php', body)).json() as BodySeen;
    t.equal(posted.length, body.length, 'a body without a length arrives whole');
  });

  await t.test('.htaccess: rewritten to a query', async (t) => {
    const { server, get: query, file } = await seen('/pretty/s%C3%B6me?z=2');
    t.equal(file, `${site.root}/server.php`);
    t.same(query, { page: 'söme', z: '2' });
    t.match(server, { SCRIPT_NAME: '/server.php', REQUEST_URI: '/pretty/s%C3%B6me?z=2' });
  });

  await t.test('.htaccess: rewritten to a PATH_INFO', async (t) => {
    const { server, file } = await seen('/app/deep/er?z=2');
    t.equal(file, `${site.root}/server.php`, 'the case in which php-cgi alone answers 404');
    t.match(server, { PATH_INFO: '/deep/er', SCRIPT_NAME: '/server.php', REQUEST_URI: '/app/deep/er?z=2' });
    t.notOk('PATH_TRANSLATED' in server);
    const names = Object.keys(server).filter((name) => name.includes('GUISE'));
    t.same(names, [], 'no REDIRECT_ copy of what guise was told');
  });

  await t.test('HTTP authentication', async (t) => {
    t.equal((await get(apache.at(site), '/private/')).status, 401);
    const headers = { authorization: basic('carol:secret') };
    const inside = (await get(apache.at(site), '/private/', { headers })).json() as Seen;
    t.match(inside.server, { REMOTE_USER: 'carol', AUTH_TYPE: 'Basic' });
    t.match(inside.server, { PHP_AUTH_USER: 'carol', PHP_AUTH_PW: 'secret' }, 'CGIPassAuth is printed');
    t.match(await guise.says('web', 'apache', site.name), /^\s*CGIPassAuth On$/m);
  });

  await t.test('the form that goes by path alone', async (t) => {
    const byPath = await apacheFor(world, [site, other], { modules, form: 'proxypassmatch' });
    for (const one of [site, other]) {
      t.equal(((await get(byPath.at(one), '/whoami.php')).json() as Whoami).uid, one.user.uid);
    }
    const at = byPath.at(site);
    const info = (await get(at, '/server.php/foo/b%20r?x=1')).json() as Seen;
    t.equal(info.file, `${site.root}/server.php`);
    t.match(info.server, { PATH_INFO: '/foo/b r', SCRIPT_NAME: '/server.php', QUERY_STRING: 'x=1' });
    t.equal(((await get(at, '/my%20page.php')).json() as Seen).file, `${site.root}/my page.php`);
    t.equal((await get(at, '/missing.php')).status, 404);
    const headers = { authorization: basic('carol:secret') };
    const passed = (await get(at, '/server.php', { headers })).json() as Seen;
    t.match(passed.server, { PHP_AUTH_USER: 'carol' });
    t.equal((await get(at, '/')).text().includes('front page'), true, 'the directory index');
  });
});
