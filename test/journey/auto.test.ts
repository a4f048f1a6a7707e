/** Mass virtual hosting: directories that are sites by themselves, with one line in the web server for all of them. */

import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { until } from '../../src/quickstart/until.js';
import { apacheFor, type TestApache } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { Whoami } from '../harness/php-pages.js';
import { pages } from '../harness/php-pages.js';
import type { TestUser } from '../harness/users.js';
import { journey, type World } from '../harness/world.js';

const key = '5ec7e7'.repeat(10);

/** A directory with pages, as an administrator or `useradd` would make it. */
function directory(path: string, owner: TestUser): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  chownSync(path, owner.uid, owner.gid);
  for (const name of ['whoami.php', 'server.php']) {
    writeFileSync(`${path}/${name}`, pages[name] ?? '');
    chownSync(`${path}/${name}`, owner.uid, owner.gid);
  }
}

async function apacheForAll(world: World, vhosts: string, homes: string): Promise<TestApache> {
  const lines = await world.guise.says('web', 'apache', '--auto');
  return apacheFor(world, [], {
    modules: ['vhost_alias', 'userdir'],
    before: `${lines}
UseCanonicalName Off
<Directory ${dirname(vhosts)}>
  Require all granted
  AllowOverride All
</Directory>
VirtualDocumentRoot ${vhosts}/%0/htdocs
UserDir ${homes}/*/public_html`,
  });
}

await journey(async (t, world) => {
  const { guise, users } = world;
  const [alice, bob] = [await users.get('alice'), await users.get('bob')];
  // Memory, since ten thousand directories are slow to remove on many a disk.
  const parent = mkdtempSync('/dev/shm/guise-t-auto-');
  world.undo.push(`remove ${parent}`, () => rmSync(parent, { recursive: true }));
  chmodSync(parent, 0o755);
  const [vhosts, homes] = [`${parent}/vhosts`, `${parent}/homes`];
  directory(`${vhosts}/one.test/htdocs`, alice);
  directory(`${vhosts}/two.test/htdocs`, bob);
  directory(`${homes}/alice/public_html`, alice);
  appendFileSync(
    guise.instance.config,
    `[auto]\nroots = ["${vhosts}/*/htdocs", "${homes}/*/public_html"]\nkey = "${key}"\n[defaults]\nidle_timeout = "500ms"\n`,
  );
  chmodSync(guise.instance.config, 0o640);
  await guise.stop();
  await guise.start();
  const apache = await apacheForAll(world, vhosts, homes);
  const ask = async (host: string, path: string): Promise<{ status: number; uid?: number }> => {
    const reply = await get({ port: apache.port, host }, path);
    return reply.status === 200
      ? { status: 200, uid: (reply.json() as Whoami).uid }
      : { status: reply.status };
  };

  await t.test('each directory runs as its owner', async (t) => {
    t.same(await ask('one.test', '/whoami.php'), { status: 200, uid: alice.uid });
    t.same(await ask('two.test', '/whoami.php'), { status: 200, uid: bob.uid });
    t.same(await ask('any.test', '/~alice/whoami.php'), { status: 200, uid: alice.uid });
    const shown = await guise.says('status');
    for (const name of ['~one.test', '~two.test', '~1~alice']) t.ok(shown.includes(name), name);
  });

  await t.test('behind nginx too, by $host', async (t) => {
    const lines = await guise.says('web', 'nginx', '--auto');
    const nginx = await nginxFor(world, [], {
      before: (listen) => `server { listen ${listen}; root ${vhosts}/$host/htdocs; ${lines} }`,
    });
    for (const [host, owner] of [
      ['one.test', alice],
      ['two.test', bob],
    ] as const) {
      const reply = await get({ port: nginx.port, host }, '/whoami.php');
      t.equal((reply.json() as Whoami).uid, owner.uid);
    }
  });

  await t.test('a new directory works at once', async (t) => {
    directory(`${vhosts}/new.test/htdocs`, bob);
    t.same(await ask('new.test', '/whoami.php'), { status: 200, uid: bob.uid });
  });

  await t.test('ten thousand directories cost nothing until one is asked for', async (t) => {
    for (let n = 0; n < 10_000; n++) mkdirSync(`${vhosts}/mass${n}.test`);
    directory(`${vhosts}/mass7777.test/htdocs`, bob);
    t.same(await ask('mass7777.test', '/whoami.php'), { status: 200, uid: bob.uid });
    t.ok((await guise.status()).sites.length < 10, 'only those that were asked for are known');
  });

  await t.test('two directories of one owner are two sites', async (t) => {
    directory(`${vhosts}/second.test/htdocs`, alice);
    await ask('one.test', '/whoami.php');
    await ask('second.test', '/whoami.php');
    const titles = guise.processesOf(alice).map(({ command }) => command);
    t.ok(
      titles.includes('guise: template ~second.test') && titles.includes('guise: template ~one.test'),
      titles.join(),
    );
  });

  await t.test('what is refused, with the reason in the log', async (t) => {
    const root = { ...alice, uid: 0, gid: 0 };
    directory(`${vhosts}/roots.test/htdocs`, root);
    directory(`${vhosts}/open.test/htdocs`, bob);
    chmodSync(`${vhosts}/open.test`, 0o777);
    directory(`${vhosts}/mixed.test/htdocs`, bob);
    chownSync(`${vhosts}/mixed.test`, alice.uid, alice.gid);
    symlinkSync(`${vhosts}/two.test`, `${vhosts}/link.test`);
    mkdirSync(`${vhosts}/out.test`);
    symlinkSync(`${vhosts}/two.test/htdocs`, `${vhosts}/out.test/htdocs`);
    for (const [host, reason] of [
      ['roots.test', /never runs as root/],
      ['open.test', /writable by all/],
      ['mixed.test', /belongs to uid/],
      ['link.test', /a symbolic link/],
      ['out.test', /a link to/],
    ] as const) {
      t.same(await ask(host, '/whoami.php'), { status: 403 }, host);
      t.ok(await guise.logged(reason), `${host}: the log says ${String(reason)}`);
    }
  });

  await t.test(
    'what the web server is made to say does not decide: the script is not where it says',
    async (t) => {
      writeFileSync(
        `${vhosts}/one.test/htdocs/.htaccess`,
        `ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "${vhosts}/two.test/htdocs/../../one.test/htdocs/whoami.php"\n`,
      );
      const { status, uid } = await ask('one.test', '/whoami.php');
      t.not(uid, bob.uid, `answered with ${status}`);
      rmSync(`${vhosts}/one.test/htdocs/.htaccess`);
    },
  );

  await t.test('quiet directories cost nothing, and come back', async (t) => {
    await until('all processes to end', () => guise.processesOf(alice).length === 0, 30_000);
    await until('the table to be empty', async () => (await guise.status()).sites.length === 0, 30_000);
    t.same(await ask('one.test', '/whoami.php'), { status: 200, uid: alice.uid });
  });

  await t.test('a directory that has a new owner runs as the new one', async (t) => {
    await until('its processes to end', () => guise.processesOf(alice).length === 0, 30_000);
    rmSync(`${vhosts}/one.test`, { recursive: true });
    directory(`${vhosts}/one.test/htdocs`, bob);
    t.same(await ask('one.test', '/whoami.php'), { status: 200, uid: bob.uid });
  });
});
