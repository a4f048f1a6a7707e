/** Every way to connect Apache, with every MPM that matters: the right file runs, and sees what it should. */

import type { Test } from 'tap';
import { apacheFor, type TestApache } from '../harness/apache.js';
import { forms, inForm } from '../harness/apache-forms.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Seen, Whoami } from '../harness/php-pages.js';
import { journey, type World } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const byName = new Map<string, Site>();
  for (const form of forms) {
    byName.set(form.name, await guise.addSite({ name: `${form.name}.test`, user: 'alice' }));
  }
  const sites = [...byName.values()];
  const modules = forms.flatMap((form) => form.modules);
  const inside = async (site: Site): Promise<string> => {
    const form = forms.find((one) => `${one.name}.test` === site.name);
    return form === undefined ? '' : inForm(form, guise, site);
  };
  for (const mpm of ['event', 'prefork'] as const) {
    const apache = await apacheFor(world, sites, { mpm, modules, inside });
    for (const form of forms) {
      await t.test(`${form.name} with ${mpm}`, (t) =>
        battery(t, world, apache, byName.get(form.name) as Site),
      );
    }
    await apache.stop();
  }
});

async function battery(t: Test, world: World, apache: TestApache, site: Site): Promise<void> {
  const ask = async (path: string): Promise<Seen> => {
    const reply = await get(apache.at(site), path);
    t.equal(reply.status, 200, path);
    return reply.json() as Seen;
  };
  const who = (await get(apache.at(site), '/whoami.php')).json() as Whoami;
  t.equal(who.uid, site.user.uid);

  const plain = await ask('/server.php?a=1&b=%20x');
  t.equal(plain.file, `${site.root}/server.php`);
  t.match(plain.server, {
    SCRIPT_FILENAME: `${site.root}/server.php`,
    SCRIPT_NAME: '/server.php',
    PHP_SELF: '/server.php',
    REQUEST_URI: '/server.php?a=1&b=%20x',
    QUERY_STRING: 'a=1&b=%20x',
    DOCUMENT_ROOT: site.root,
    SERVER_NAME: site.name,
    REQUEST_METHOD: 'GET',
    REMOTE_ADDR: '127.0.0.1',
  });
  t.same(plain.get, { a: '1', b: ' x' });
  t.equal(plain.server.PATH_INFO ?? '', '', 'no PATH_INFO where there is none');

  const info = await ask('/server.php/foo/b%20r?q');
  t.match(info.server, {
    PATH_INFO: '/foo/b r',
    SCRIPT_NAME: '/server.php',
    PHP_SELF: '/server.php/foo/b r',
    SCRIPT_FILENAME: `${site.root}/server.php`,
  });

  const blank = await ask('/my%20page.php');
  t.equal(blank.file, `${site.root}/my page.php`);

  const posted = await get(apache.at(site), '/server.php', {
    body: 'name=v%C3%A4lue&x=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': 19 },
  });
  t.same((posted.json() as Seen).post, { name: 'välue', x: '1' });

  const names = Object.keys(plain.server);
  t.same(
    names.filter((name) => name.includes('GUISE')),
    [],
    'nothing of guise is shown to PHP',
  );
  const key = world.guise.keyOf(site.name);
  if (key !== undefined) t.notOk(JSON.stringify([plain, info]).includes(key), 'nor the key under any name');
  for (const name of ['PATH_TRANSLATED', 'HTTP_PROXY', 'ORIG_SCRIPT_FILENAME', 'ORIG_PATH_INFO']) {
    t.notOk(names.includes(name), `no ${name}`);
  }

  const missing = await get(apache.at(site), '/missing.php');
  t.equal(missing.status, 404);
  t.ok(missing.body.length > 0, 'with a page');
  const empty = await get(apache.at(site), '/empty.php');
  t.same([empty.status, empty.body.length], [200, 0], 'an empty page is an empty page');
  const head = await get(apache.at(site), '/whoami.php', { method: 'HEAD' });
  t.same([head.status, head.body.length], [200, 0], 'HEAD has no body');
}
