/** A thousand quiet sites cost next to nothing, and nobody notices when one more comes. */

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { makeKey } from '../../src/site/key.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import type { Guise, Site } from '../harness/guise.js';
import { ownMemoryKb, switches } from '../harness/proc.js';
import { journey } from '../harness/world.js';

const many = 1000;

await journey(async (t, world) => {
  const { guise } = world;
  const first = await guise.addSite({ name: 'first.test', user: 'alice' });
  const memory = async (): Promise<number> => ownMemoryKb(guise.pid) + ownMemoryKb(await guise.routerPid());
  const works = async (t: Test, site: Site): Promise<void> => {
    const { status, body } = await askOnce(guise.socket, await paramsFor(guise, site, '/whoami.php'));
    t.equal(status, 200, `${site.name} is served`);
    t.match(body, new RegExp(`"?uid"?\\D*${first.user.uid}`));
  };
  await works(t, first);
  const { workerPids, templatePid } = await guise.siteStatus(first.name);

  await t.test('a thousand come by a reload, and the one that works is not touched', async (t) => {
    for (let n = 0; n < many; n++) writeSite(guise, first, `s${n}.test`);
    t.match(await guise.says('reload', '--json'), /"unchanged": 1\b/);
    t.match(await guise.siteStatus(first.name), { workerPids, templatePid });
    await works(t, { ...first, name: `s${many - 1}.test` });
  });

  await t.test('one more is served, and nobody else notices', async (t) => {
    const router = await guise.routerPid();
    const busy = await guise.siteStatus(`s${many - 1}.test`);
    const added = await guise.addSite({ name: 'added.test', user: 'alice' });
    await works(t, added);
    t.match(await guise.siteStatus(first.name), { workerPids, templatePid });
    t.match(await guise.siteStatus(busy.name), {
      workerPids: busy.workerPids,
      templatePid: busy.templatePid,
    });
    t.equal(await guise.routerPid(), router);
    await guise.says('site', 'remove', added.name);
    t.match(await guise.siteStatus(first.name), { workerPids, templatePid });
  });

  await t.test('a new daemon knows them all, takes little memory for each, and sleeps', async (t) => {
    await guise.stop();
    for (let n = 0; n < many; n++) rmSync(`${guise.instance.sites}/s${n}.test.toml`);
    await guise.start();
    const before = await memory();
    await guise.stop();
    for (let n = 0; n < many; n++) writeSite(guise, first, `s${n}.test`);
    await guise.start();
    const each = ((await memory()) - before) / many;
    t.ok(each < 40, `${each.toFixed(1)} KiB for each site`);
    await sleeps(t, guise);
    for (const n of [0, many / 2, many - 1]) await works(t, { ...first, name: `s${n}.test` });
  });
});

function writeSite({ instance }: Guise, { root, user }: Site, name: string): void {
  const text = `name = "${name}"\nroot = "${root}"\nuser = "${user.name}"\nkey = "${makeKey()}"\n`;
  writeFileSync(`${instance.sites}/${name}.toml`, text, { mode: 0o600 });
}

/** Master and router are not woken while nobody asks anything. V8 tidies up once, after the last work. */
async function sleeps(t: Test, guise: Guise): Promise<void> {
  const pids = [guise.pid, await guise.routerPid()];
  const count = (): number => pids.reduce((sum, pid) => sum + switches(pid), 0);
  let woken = Number.POSITIVE_INFINITY;
  for (let window = 0; window < 6 && woken > 10; window++) {
    const before = count();
    await delay(2500);
    woken = count() - before;
  }
  t.ok(woken <= 10, `woke up ${woken} times`);
}
