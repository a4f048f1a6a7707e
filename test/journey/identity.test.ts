/** A request runs as its site's user: uid, gid, every group, and whatever it writes. */

import { statSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { capabilities } from '../harness/proc.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const sites = [
    await guise.addSite({ name: 'a.test', user: 'alice' }),
    await guise.addSite({ name: 'b.test', user: 'bob', args: ['--mode', 'per-request'] }),
  ];
  const apache = await apacheFor(world, sites);

  for (const site of sites) {
    await t.test(`${site.name} runs as ${site.user.name}`, async (t) => {
      const reply = await get(apache.at(site), '/whoami.php');
      t.equal(reply.status, 200);
      const seen = reply.json() as Whoami;
      t.equal(seen.sapi, 'cgi-fcgi');
      t.same([seen.uid, seen.euid], [site.user.uid, site.user.uid], 'real and effective user');
      t.same([seen.gid, seen.egid], [site.user.gid, site.user.gid], 'real and effective group');
      const groups = [...new Set([seen.gid, ...seen.groups])].sort((a, b) => a - b);
      t.same(groups, site.user.groups, 'exactly the groups that the user has');
      t.equal(seen.file, `${site.root}/whoami.php`);
    });

    await t.test(`what ${site.name} writes belongs to ${site.user.name}`, async (t) => {
      const reply = await get(apache.at(site), '/write.php?name=note.txt');
      t.equal(reply.status, 200);
      const { temporary } = reply.json() as { temporary: string };
      for (const path of [`${site.root}/note.txt`, `${site.root}/note.txt.d`, temporary]) {
        const { uid, gid } = statSync(path);
        t.same({ uid, gid }, { uid: site.user.uid, gid: site.user.gid }, path);
      }
      t.ok(temporary.startsWith(guise.instance.state), 'temporary files lie in a directory of the site');
    });
  }

  await t.test('the processes are who they should be', async (t) => {
    const all = guise.processes();
    const master = all.find((entry) => entry.pid === guise.pid);
    t.equal(master?.uid, 0, 'the master is root');
    const router = all.find((entry) => entry.uid === guise.routerUser.uid);
    t.ok(router, 'the router has its own user');
    t.equal(capabilities(router?.pid ?? 0), '0000000000000000', 'and no capability');
    for (const site of sites) {
      // A cleaner of temporary files may be among the site's processes for a moment.
      const processes = guise.processesOf(site.user).filter(({ command }) => command.startsWith('guise: '));
      t.ok(processes.length >= 2, `${site.name} has a template and a worker`);
      for (const entry of processes) {
        t.equal(capabilities(entry.pid), '0000000000000000', `${entry.command}: no capability`);
        t.match(entry.command, site.name, 'ps names the site');
      }
    }
  });
});
