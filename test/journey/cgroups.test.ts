/**
 * A control group for each site, in a directory that guise.toml names and in the daemon's own, delegated one: who is in
 * it, who cannot leave it, and that none is left. What the groups limit depends on the machine's controllers, and so
 * does what is said about them.
 */

import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { lockFile } from '../../src/os/socket.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import {
  delegate,
  groupNameOf,
  groupPath,
  groupsBelow,
  makeGroup,
  removeTree,
  within,
} from '../harness/groups.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

/** Leaves a program in a session of its own, below nobody that it knows, and tells its pid. */
const leave = `<?php
$file = __DIR__ . '/left.' . getmypid();
exec("setsid -f sh -c 'echo \\$\\$ > $file; exec sleep 600' > /dev/null 2>&1");
while (!($pid = (int) @file_get_contents($file))) usleep(1000);
echo $pid;
if (isset($_GET['stay'])) { flush(); for (;;) usleep(1000); }`;

/** Tries to get out of its group, to end the group, and to make one of its own. */
const flee = `<?php
$group = $_GET['group'];
foreach (['cgroup.procs', '../cgroup.procs', '../../cgroup.procs', 'cgroup.kill', 'cgroup.subtree_control'] as $file)
    echo @file_put_contents("$group/$file", $file === 'cgroup.kill' ? '1' : getmypid()) === false ? 'no ' : "$file ";
echo @mkdir("$group/mine") ? 'made' : 'no';`;

const path = groupPath('named');
const groups = (): string[] =>
  (existsSync(`${path}/sites`) ? readdirSync(`${path}/sites`) : []).filter((name) => name.includes(':'));

await journey(
  async (t, world) => {
    const { guise } = world;
    world.undo.push('remove the groups', () => removeTree(path));
    guise.allowErrors(/memory_max/);
    const files = { 'leave.php': leave, 'flee.php': flee };
    const add = (name: string, ...args: string[]): Promise<Site> =>
      guise.addSite({
        name: `${name}.test`,
        user: name,
        files,
        args: ['--set', 'idle_timeout=200ms', ...args],
      });
    const pool = await add('pool', '--set', 'time_limit=1s');
    const fresh = await add('fresh', '--mode', 'per-request', '--set', 'confine=off');
    const keeps = await add('keeps', '--set', 'background=keep');
    const apache = await apacheFor(world, [pool, fresh, keeps]);
    /** Asks for a page, and says in which group the site's template is. */
    const groupOf = async (site: Site): Promise<string> => {
      t.equal((await get(apache.at(site), '/index.php')).status, 200);
      const isTemplate = ({ command }: { command: string }): boolean =>
        command === `guise: template ${site.name}`;
      const { pid = 0 } = guise.processesOf(site.user).find(isTemplate) ?? {};
      return groupNameOf(pid).replace(/^.*\/sites\//, '');
    };

    await t.test('a daemon outside of the named directory stays where it is', async (t) => {
      t.equal(groupNameOf(guise.pid), '/');
      await guise.logged(/each site has a control group/);
    });

    await t.test('workers, and what they start, are in the group of their site', async (t) => {
      const group = await groupOf(pool);
      t.match(group, /^pool\.test:\d+$/);
      const { pid } = (await get(apache.at(pool), '/whoami.php')).json() as Whoami;
      t.equal(groupNameOf(pid), `/${basename(path)}/sites/${group}`);
      const left = Number((await get(apache.at(keeps), '/leave.php')).text());
      t.match(groupNameOf(left), /\/sites\/keeps\.test:\d+$/, 'in a session of its own, too');
    });

    await t.test('a time limit ends one request and not its site', async (t) => {
      const kept = groups().length;
      const other = await get(apache.at(pool), '/whoami.php');
      await get(apache.at(pool), '/leave.php?stay').catch(() => undefined);
      await until('what it has left to end', () =>
        guise.processesOf(pool.user).every(({ command }) => !command.startsWith('sleep')),
      );
      t.equal(groups().length, kept);
      t.equal(other.status, 200);
    });

    for (const site of [pool, fresh]) {
      await t.test(`${site.name}: nobody leaves`, async (t) => {
        const group = `${path}/sites/${await groupOf(site)}`;
        const reply = await get(apache.at(site), `/flee.php?group=${group}`);
        t.equal(reply.text(), 'no no no no no no');
      });
    }

    await t.test('a site that is quiet has none', async (t) => {
      await until('the others to go', () => groups().every((name) => name.startsWith('keeps.test')), 20_000);
      t.equal(groups().length, 1, 'and one that keeps something has it still');
    });

    await t.test('a site that changes gets another one, and what it kept is ended', async (t) => {
      const [before] = groups();
      await guise.says('site', 'set', keeps.name, '--set', 'max_workers=3');
      await until('the end of the old one', () => groups().length === 0);
      t.not(await groupOf(keeps), before);
    });

    await t.test('a site that is removed has none', async (t) => {
      await get(apache.at(keeps), '/leave.php');
      await guise.says('site', 'remove', keeps.name);
      await until('the end of its group', () => groups().length === 0);
      // What deletes its temporary files runs as its user, and not in its group.
      await until('the end of its processes', () => guise.processesOf(keeps.user).length === 0);
      t.same(guise.processesOf(keeps.user), []);
    });

    await t.test('a daemon that was killed leaves some, which the next one removes', async (t) => {
      await groupOf(pool);
      process.kill(guise.pid, 'SIGKILL');
      await until('everything to end', () => guise.processes().length === 0, 20_000);
      t.equal(groups().length, 1);
      await guise.start();
      await until('them to be removed', () => groups().length === 0);
      t.match(await groupOf(pool), /^pool\.test:/);
    });

    await t.test('what cannot be limited here is said', async (t) => {
      const [, holds] = /it can limit (.*)/.exec((await guise.run('check')).stdout) ?? [];
      t.match(holds, /^(nothing: the controllers|cpu|memory|pids)/);
      // These tests run where the controllers belong to version 1: then no group can hold them.
      await guise.says('site', 'set', pool.name, '--set', 'pids_max=50', '--set', 'cpu_weight=50');
      t.equal(
        (await get(apache.at(pool), '/index.php')).status,
        200,
        'less than a limit is no reason not to run',
      );
      await guise.says('site', 'set', fresh.name, '--set', 'memory_max=1G');
      const held = /^nothing/.test(holds ?? '') ? '' : holds;
      const isHeld = /memory/.test(held ?? '');
      t.equal((await get(apache.at(fresh), '/index.php')).status, isHeld ? 200 : 502);
      const said = (await guise.run('check')).stdout;
      t.equal(said.includes(`memory_max of ${fresh.name} cannot be held: it does not run`), !isHeld);
      t.equal(said.includes(`cpu_weight, pids_max of ${pool.name} cannot be held`), !/pids/.test(held ?? ''));
      if (!isHeld) t.match((await guise.siteStatus(fresh.name)).lastProblem, /memory_max/);
    });

    await t.test('a directory in which another guise has its groups', async (t) => {
      await guise.stop();
      const other = openSync(path, 'r');
      t.ok(lockFile(other));
      await guise.start();
      const [line] = await guise.logged(/another guise has its groups there/);
      t.equal(line?.level, 40);
      const { pid } = (await get(apache.at(pool), '/whoami.php')).json() as Whoami;
      t.equal(groupNameOf(pid), '/');
      closeSync(other);
    });

    await t.test("the daemon's own group, while that is not delegated, and when it is", async (t) => {
      const own = makeGroup(world, 'own.service');
      const { config } = guise.instance;
      writeFileSync(config, readFileSync(config, 'utf8').replace(/^cgroup = .*$/m, 'cgroup = "auto"'));
      for (const isDelegated of [false, true]) {
        await guise.stop();
        t.same(groupsBelow(path), [], 'nothing is left of the groups');
        if (isDelegated) await delegate(own);
        await within(own, () => guise.start());
        const said = (await guise.run('check')).stdout;
        if (isDelegated) {
          t.match(said, new RegExp(`each site has a control group below ${own};`));
          t.equal(groupNameOf(guise.pid), `/${basename(own)}/daemon`);
          t.equal(groupNameOf(await guise.routerPid()), `/${basename(own)}/daemon`);
          t.match(await groupOf(pool), /^pool\.test:\d+$/);
        } else {
          t.match(said, /found by its processes: .*own\.service is not delegated.*Delegate=yes/);
          const { pid } = (await get(apache.at(pool), '/whoami.php')).json() as Whoami;
          t.equal(groupNameOf(pid), `/${basename(own)}`, 'as it was started');
        }
      }
    });
  },
  { limits: `cgroup = "${path}"` },
);
