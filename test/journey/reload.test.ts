/** A reload changes what changed: others keep their processes, and a file that is wrong keeps its site as it was. */

import { readFileSync, writeFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const [same, changes, breaks, goes] = [
    await guise.addSite({ name: 'same.test', user: 'alice' }),
    await guise.addSite({ name: 'changes.test', user: 'bob' }),
    await guise.addSite({ name: 'breaks.test', user: 'carol' }),
    await guise.addSite({ name: 'goes.test', user: 'dave' }),
  ];
  const all = [same, changes, breaks, goes];
  const apache = await apacheFor(world, all);
  const ask = async (site: Site): Promise<number> => (await get(apache.at(site), '/whoami.php')).status;
  /** Its processes, once no spare worker is on its way any more. */
  const processes = (site: Site): Promise<readonly number[]> =>
    until(`${site.name} to come to rest`, async () => {
      const { workers, workerPids, templatePid = 0 } = await guise.siteStatus(site.name);
      return workers.starting + workers.busy === 0 ? [templatePid, ...workerPids] : undefined;
    });
  for (const site of all) t.equal(await ask(site), 200);
  const before = new Map<Site, readonly number[]>();
  for (const site of all) before.set(site, await processes(site));
  const fileOf = (site: Site): string => `${guise.instance.sites}/${site.name}.toml`;
  const good = readFileSync(fileOf(breaks), 'utf8');

  await t.test('one changed, one broken, one gone, in one reload', async (t) => {
    guise.allowErrors(/file is wrong/);
    const running = get(apache.at(changes), '/slow.php?ms=1500');
    await until('the request to run', async () => (await guise.siteStatus(changes.name)).workers.busy === 1);
    writeFileSync(fileOf(changes), `${readFileSync(fileOf(changes), 'utf8')}\nspare = 2\n`);
    writeFileSync(fileOf(breaks), good.replace('user = ', 'usre = '));
    await guise.says('site', 'remove', goes.name);
    const reload = await guise.run('reload');
    t.equal(reload.code, 0);
    t.match(reload.stdout, 'changed: changes.test; wrong, running on as before: breaks.test; unchanged: 2');
    t.match(reload.stderr, `${fileOf(breaks)}:`);
    t.match(reload.stderr, 'usre');
    t.equal((await running).status, 200, 'what ran in the old form of the site finishes');
  });

  await t.test('who did not change did not notice', async (t) => {
    t.same(await processes(same), before.get(same));
    t.same(await processes(breaks), before.get(breaks));
    t.equal(await ask(changes), 200);
    t.notSame(await processes(changes), before.get(changes));
    await until('the removed site to end', () => guise.processesOf(goes.user).length === 0);
  });

  await t.test('it is said where one looks', async (t) => {
    t.equal(await ask(breaks), 200);
    t.match(await guise.says('status'), /breaks\.test: its file is wrong; it runs on/);
    t.match(await guise.says('site', 'show', breaks.name), /Now it is wrong:.*usre/s);
    const report: unknown = JSON.parse(await guise.says('reload', '--json'));
    t.match(report, { parked: [], kept: [{ name: breaks.name, file: fileOf(breaks), problems: [{}] }] });
    t.equal((await guise.logged(/file is wrong, site runs on as it was/)).length > 0, true);
  });

  await t.test('a change of it is refused, and a change of another leaves it alone', async (t) => {
    const text = readFileSync(fileOf(breaks), 'utf8');
    const set = await guise.run('site', 'set', breaks.name, '--set', 'spare=3');
    t.not(set.code, 0);
    t.match(set.stderr, 'usre');
    t.equal(readFileSync(fileOf(breaks), 'utf8'), text, 'nothing is written');
    await guise.says('site', 'set', changes.name, '--set', 'spare=1');
    t.equal(await ask(breaks), 200);
    t.same(await processes(breaks), before.get(breaks));
    t.same(await processes(same), before.get(same));
  });

  await t.test('mended, it is as if nothing had been', async (t) => {
    writeFileSync(fileOf(breaks), good);
    t.match(await guise.says('reload'), /^unchanged: 3\n$/);
    t.same(await processes(breaks), before.get(breaks));
    t.notMatch(await guise.says('status'), 'its file is wrong');
  });

  await t.test('a wrong guise.toml changes nothing', async (t) => {
    const main = `${guise.instance.directory}/guise.toml`;
    const text = readFileSync(main, 'utf8');
    writeFileSync(main, `${text}\n[nonsense]\n`);
    t.equal((await guise.run('reload')).code, 5);
    t.equal(await ask(same), 200);
    writeFileSync(main, text);
    t.same(await processes(same), before.get(same));
  });
});
