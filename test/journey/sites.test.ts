/** Sites come and go on a running daemon: at once, for good, and without any other site noticing. */

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { type Address, get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const stays = await guise.addSite({ name: 'stays.test', user: 'alice' });
  const goes = await guise.addSite({ name: 'goes.test', user: 'bob' });
  const apache = await apacheFor(world, [stays, goes]);
  const pid = async (at: Address): Promise<number> => ((await get(at, '/whoami.php')).json() as Whoami).pid;
  const pids = async (site: Site): Promise<unknown> => {
    const { templatePid, workerPids } = await guise.siteStatus(site.name);
    return { templatePid, workerPids };
  };
  await pid(apache.at(stays));
  // A spare worker may still be on its way.
  const before = await until('the site to come to rest', async () => {
    const { workers } = await guise.siteStatus(stays.name);
    return workers.starting === 0 && workers.busy === 0 ? pids(stays) : undefined;
  });

  await t.test('a new site is served at once', async (t) => {
    const added = await guise.addSite({ name: 'new.test', user: 'carol' });
    const second = await apacheFor(world, [added]);
    t.equal(((await get(second.at(added), '/whoami.php')).json() as Whoami).uid, added.user.uid);
    const file = `${guise.instance.sites}/new.test.toml`;
    t.match(readFileSync(file, 'utf8'), /name = "new\.test"/);
    t.equal(statSync(file).mode & 0o077, 0, 'its file holds a key and is for root only');
    t.match(await guise.says('site', 'list'), 'new.test');
  });

  await t.test('the same name twice is refused', async (t) => {
    const again = await guise.run('site', 'add', 'new.test', '--user', stays.user.name, '--root', stays.root);
    t.equal(again.code, 7);
    t.match(again.stderr, 'new.test');
  });

  await t.test('a removed site is gone at once, with its processes', async (t) => {
    t.equal((await get(apache.at(goes), '/whoami.php')).status, 200);
    await guise.says('site', 'remove', 'goes.test');
    const reply = await get(apache.at(goes), '/whoami.php');
    t.ok([403, 404].includes(reply.status), `answered with ${reply.status}`);
    await until('its processes to end', () => guise.processesOf(goes.user).length === 0);
    t.notOk(existsSync(`${guise.instance.sites}/goes.test.toml`));
    t.notMatch(await guise.says('site', 'list'), 'goes.test');
    t.ok(existsSync(`${goes.root}/index.php`), "the user's files stay");
  });

  await t.test('a running request of a removed site still finishes', async (t) => {
    const leaving = await guise.addSite({ name: 'leaving.test', user: 'bob' });
    const third = await apacheFor(world, [leaving]);
    const running = get(third.at(leaving), '/slow.php?ms=1500');
    await until(
      'the request to run',
      async () => (await guise.siteStatus('leaving.test')).workers.busy === 1,
    );
    await guise.says('site', 'remove', 'leaving.test');
    t.equal((await running).status, 200);
  });

  await t.test('a broken file parks that site only, with its reason', async (t) => {
    guise.allowErrors(/parked/);
    const good = `root = "${stays.root}"\nuser = "${stays.user.name}"\n`;
    const broken = {
      'colour.test': [`name = "colour.test"\n${good}colour = "red"\n`, 'colour'],
      'nobody.test': [
        `name = "nobody.test"\nroot = "${stays.root}"\nuser = "no-such-user"\n`,
        'no-such-user',
      ],
      'nowhere.test': ['name = "nowhere.test"\nroot = "/nowhere"\nuser = "root"\n', '/nowhere'],
      'syntax.test': ['name = = "syntax.test"\n', ':1'],
    } as const;
    for (const [name, [text]] of Object.entries(broken)) {
      writeFileSync(`${guise.instance.sites}/${name}.toml`, text, { mode: 0o600 });
    }
    const check = await guise.run('check');
    t.equal(check.code, 1);
    for (const [name, [, word]] of Object.entries(broken)) {
      t.match(check.stdout + check.stderr, `${guise.instance.sites}/${name}.toml`);
      t.match(check.stdout + check.stderr, word);
    }
    await guise.says('reload');
    const { parked } = await guise.status();
    t.same(parked.map((site) => site.name).sort(), Object.keys(broken));
    t.match(await guise.says('status'), 'colour');
    t.equal((await get(apache.at(stays), '/whoami.php')).status, 200);
  });

  await t.test('the site that stayed never noticed', async (t) => {
    t.same(await pids(stays), before);
  });

  await t.test('everything survives a restart', async (t) => {
    await guise.stop();
    await guise.start();
    const names = (await guise.status()).sites.map((site) => site.name).sort();
    t.same(names, ['new.test', 'stays.test']);
    t.equal((await get(apache.at(stays), '/whoami.php')).status, 200);
    writeAs(stays, 'after.php', '<?php echo "after";');
    t.equal((await get(apache.at(stays), '/after.php')).text(), 'after');
  });
});
