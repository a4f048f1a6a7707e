/**
 * What scripts leave running when their request is over: ended with it, or kept where the site says so. Nothing of it
 * outlives the site, nor the daemon.
 */

import { readProcess } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

/** Leaves a program in a session of its own, and tells its pid, and whether it still ran a moment later. */
const leave = `<?php
$file = __DIR__ . '/left.' . getmypid();
exec("setsid -f sh -c 'echo \\$\\$ > $file; exec sleep 600' > /dev/null 2>&1");
while (!($pid = (int) @file_get_contents($file))) usleep(1000);
usleep(200_000);
if (isset($_GET['stay'])) for (;;) usleep(1000);
echo json_encode(['pid' => $pid, 'runs' => posix_kill($pid, 0), 'worker' => getmypid()]);`;

/** Programs whose parents are gone before they end. */
const orphans = `<?php
for ($i = 0; $i < 20; $i++) exec('(sleep 0.05 &) > /dev/null 2>&1');
usleep(300_000);
echo getmypid();`;

interface Left {
  readonly pid: number;
  readonly runs: boolean;
  readonly worker: number;
}

const isThere = (pid: number): boolean => !['Z', undefined].includes(readProcess(pid)?.state);

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/./);
  const files = { 'leave.php': leave, 'orphans.php': orphans };
  const add = (name: string, ...args: string[]): Promise<Site> =>
    guise.addSite({ name: `${name}.test`, user: name, files, args });
  const sites = [
    await add('pool', '--set', 'time_limit=3'),
    await add('fresh', '--mode', 'per-request'),
    await add('direct', '--set', 'socket=own', '--set', 'dispatch=direct'),
  ];
  const keeps = await add('keeps', '--set', 'background=keep', '--set', 'time_limit=1');
  const apache = await apacheFor(world, [...sites, keeps]);
  const ask = async (site: Site): Promise<Left> => (await get(apache.at(site), '/leave.php')).json() as Left;

  for (const site of sites) {
    await t.test(`${site.name}: it ends with its request, and not before`, async (t) => {
      for (let i = 0; i < 2; i += 1) {
        const left = await ask(site);
        t.ok(left.runs, 'while the request runs, it does too');
        await until('its end', () => !isThere(left.pid));
        await until('the end of the worker', () => !isThere(left.worker));
      }
      const [line] = await guise.logged(new RegExp(`"site":"${site.name}".*background processes ended`));
      t.ok(Number(line?.count) > 0);
    });
  }

  await t.test('programs without a parent leave no zombie in a worker', async (t) => {
    const [site] = sites as [Site];
    const worker = Number((await get(apache.at(site), '/orphans.php')).text());
    const zombies = (): unknown[] => guise.processesOf(site.user).filter(({ state }) => state === 'Z');
    await until('them to be waited for', () => zombies().length === 0);
    t.equal(((await get(apache.at(site), '/whoami.php')).json() as Whoami).pid, worker, 'which stays');
  });

  let kept = { pid: 0, runs: false, worker: 0 };
  await t.test('it is kept where the site says so', async (t) => {
    kept = await ask(keeps);
    await until('the end of the worker', () => !isThere(kept.worker));
    t.equal((await get(apache.at(keeps), '/whoami.php')).status, 200);
    t.ok(isThere(kept.pid));
  });

  await t.test('the end of another request does not touch it', async (t) => {
    t.equal((await get(apache.at(keeps), '/leave.php?stay')).status, 504);
    await until(
      'what that one has left to end',
      () => guise.processesOf(keeps.user).filter(({ command }) => command.startsWith('sleep')).length === 1,
    );
    t.ok(isThere(kept.pid));
  });

  await t.test('it ends when the site changes', async (t) => {
    await guise.says('site', 'set', keeps.name, '--set', 'max_workers=3');
    await until('its end', () => !isThere(kept.pid));
    await until('the end of its processes', () => guise.processesOf(keeps.user).length === 0);
    t.pass();
  });

  await t.test('and with the daemon, also when that is killed', async (t) => {
    const left = await ask(keeps);
    const runs = get(apache.at(sites[0] as Site), '/leave.php?stay').catch(() => undefined);
    await until('a program of a running request', () =>
      guise.processesOf((sites[0] as Site).user).some(({ command }) => command.startsWith('sleep')),
    );
    t.ok(isThere(left.pid));
    process.kill(guise.pid, 'SIGKILL');
    await until('everything to end', () => guise.processes().length === 0, 20_000);
    await runs;
    await guise.start();
  });
});
