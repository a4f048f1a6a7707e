/** A site's directory for temporary files: cleaned while the site is in use, of a size if wanted, gone with the site. */

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

const page = `<?php
header('Content-Type: application/json');
session_start();
$_SESSION['n'] = 1;
session_write_close();
$file = sys_get_temp_dir() . '/' . basename($_GET['name']);
$written = @file_put_contents($file, str_repeat('x', (int) $_GET['bytes']));
echo json_encode(['written' => $written, 'error' => error_get_last()['message'] ?? null,
    'gc' => [ini_get('session.gc_probability'), ini_get('session.gc_divisor')], 'free' => disk_total_space(sys_get_temp_dir())]);`;

interface Seen {
  readonly written: number | false;
  readonly error: string | null;
  readonly gc: readonly string[];
  readonly free: number;
}

await journey(async (t, world) => {
  const { guise } = world;
  const { state } = guise.instance;
  const files = { 'write.php': page };
  const clean = await guise.addSite({
    name: 'clean.test',
    user: 'alice',
    files,
    args: ['--set', 'tmp_max_age=2s'],
  });
  const sized = await guise.addSite({
    name: 'sized.test',
    user: 'bob',
    files,
    args: ['--set', 'tmp_size=1M'],
  });
  const apache = await apacheFor(world, [clean, sized]);
  const write = async (site: Site, name: string, bytes: number): Promise<Seen> =>
    (await get(apache.at(site), `/write.php?name=${name}&bytes=${bytes}`)).json() as Seen;
  const tmp = (site: Site): string => `${state}/sites/${site.name}/tmp`;
  const isMounted = (site: Site): boolean =>
    readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${tmp(site)} `);

  await t.test('what nobody touches is removed', async (t) => {
    t.equal((await write(clean, 'old', 10)).written, 10);
    t.ok(existsSync(`${tmp(clean)}/old`));
    await until('the file to go', () => !existsSync(`${tmp(clean)}/old`), 20_000);
    t.ok(readdirSync(`${state}/sites/clean.test/sessions`).length > 0, 'sessions are none of its business');
    t.same((await write(clean, 'new', 10)).gc, ['1', '1000'], 'PHP itself removes old ones');
    t.ok(existsSync(`${tmp(clean)}/new`));
  });

  await t.test('a size holds', async (t) => {
    const mib = 1024 ** 2;
    t.equal((await write(sized, 'small', 1000)).free, mib);
    const large = await write(sized, 'large', 2 * mib);
    t.not(large.written, 2 * mib);
    t.match(large.error, /possibly out of free disk space/);
    const { uid, mode } = statSync(tmp(sized));
    t.same({ uid, mode: mode & 0o7777 }, { uid: sized.user.uid, mode: 0o700 });
    const usage = (await guise.siteStatus(sized.name)).tmp;
    t.equal(usage?.size, mib);
    t.ok((usage?.used ?? 0) > 1000);
    t.equal((await guise.siteStatus(clean.name)).tmp, undefined);
  });

  await t.test('it can be changed while the site runs', async (t) => {
    await guise.says('site', 'set', sized.name, '--set', 'tmp_size=4M');
    t.equal((await write(sized, 'large', 3 * 1024 ** 2)).written, 3 * 1024 ** 2);
    await guise.says('site', 'set', sized.name, '--set', 'tmp_size=64K');
    t.equal(
      (await write(sized, 'small', 1000)).free,
      64 * 1024,
      'it begins anew when what is there does not fit',
    );
    t.notOk(existsSync(`${tmp(sized)}/large`));
    await guise.says('site', 'set', sized.name, '--set', 'tmp_size=0');
    t.ok((await write(sized, 'large', 3 * 1024 ** 2)).written);
    t.notOk(isMounted(sized));
  });

  await t.test('a daemon that stops takes it along', async (t) => {
    await guise.says('site', 'set', sized.name, '--set', 'tmp_size=1M');
    await write(sized, 'small', 10);
    t.ok(isMounted(sized));
    await guise.stop();
    t.notOk(isMounted(sized));
    t.ok(readdirSync(`${state}/sites/sized.test/sessions`).length > 0, 'sessions stay');
    await guise.start();
    t.equal((await write(sized, 'small', 10)).written, 10);
  });

  await t.test('a removed site leaves nothing but its documents and logs', async (t) => {
    for (const site of [clean, sized]) {
      await guise.says('site', 'remove', site.name);
      await until('its directories to go', () => !existsSync(`${state}/sites/${site.name}`), 20_000);
      t.ok(existsSync(`${site.root}/write.php`));
      t.ok(existsSync(`${guise.instance.log}/sites/${site.name}/php.log`));
    }
    await until('all of it to go', () => readdirSync(`${state}/discarded`).length === 0, 20_000);
    t.notOk(isMounted(sized));
  });

  await t.test('also when it is removed while no daemon runs', async (t) => {
    const late = await guise.addSite({ name: 'late.test', user: 'alice', files });
    const itsApache = await apacheFor(world, [late]);
    await get(itsApache.at(late), '/write.php?name=file&bytes=10');
    await guise.stop();
    await guise.says('site', 'remove', late.name);
    t.notOk(existsSync(`${state}/sites/late.test`));
    await guise.start();
    await until('all of it to go', () => readdirSync(`${state}/discarded`).length === 0, 20_000);
  });

  await t.test('a site whose file is set aside keeps everything', async (t) => {
    const kept = await guise.addSite({ name: 'kept.test', user: 'bob', files });
    const itsApache = await apacheFor(world, [kept]);
    await get(itsApache.at(kept), '/write.php?name=file&bytes=10');
    guise.allowErrors(/site is parked|file is wrong/);
    writeFileSync(`${guise.instance.sites}/kept.test.toml`, 'broken = [');
    t.equal(
      (await guise.run('reload')).stdout.includes('kept.test'),
      true,
      'it is said, and the site runs on',
    );
    await get(itsApache.at(kept), '/write.php?name=more&bytes=10');
    t.ok(existsSync(`${tmp(kept)}/more`));
    // A daemon that starts knows of no time before, and parks it.
    await guise.stop();
    await guise.start();
    await until('its processes to end', () => guise.processesOf(kept.user).length === 0, 20_000);
    t.ok(existsSync(`${tmp(kept)}/file`));
  });
});
