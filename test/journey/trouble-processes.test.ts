/** A site that starts programs without end, and one that has as many as it may have: its neighbour is served as ever. */

import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import {
  isHardlyTouched,
  mostProcesses,
  Neighbour,
  treeIsGone,
  waitBesideBusyProcesses,
} from '../harness/neighbour.js';
import { journey } from '../harness/world.js';

const most = 60;
const read = (file: string): string => readFileSync(file, 'latin1');

/** As everybody writes it who wants to know what happens; in a session of its own. */
const bomb = `<?php
exec("setsid sh -c 'b() { b | b & }; b' > /dev/null 2>&1 &");
for (;;) usleep(1000);`;

/** Starts programs that wait until the kernel refuses one, and says how many there were. */
const crowd = `<?php
for ($started = []; $program = @proc_open(['/bin/sleep', '600'], [], $pipes); ) $started[] = $program;
file_put_contents(__DIR__ . '/crowd', count($started));
for (;;) usleep(1000);`;

/** Would have another one ended in its place when memory runs out. */
const lower = `<?php
echo shell_exec('f=/proc/$$/oom_score_adj; (echo 499 > $f) 2> /dev/null; echo 501 > $f; cat $f');`;

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/could not be forked|does not start/);
  const troubled = await guise.addSite({
    name: 'troubled.test',
    user: 'alice',
    files: { 'bomb.php': bomb, 'crowd.php': crowd },
    args: ['--set', `limits.nproc=${most}`, '--set', 'time_limit=2s'],
  });
  const fine = await guise.addSite({
    name: 'fine.test',
    user: 'bob',
    files: { 'lower.php': lower },
    args: ['--set', 'confine=off'],
  });
  const apache = await apacheFor(world, [troubled, fine]);
  const neighbour = new Neighbour(apache.at(fine), fine);
  const calmMs = await neighbour.during();
  const busyMs = await waitBesideBusyProcesses(world, neighbour, most);
  const isServed = async (t: Test): Promise<void> =>
    void t.equal((await get(apache.at(troubled), '/index.php')).status, 200, 'the site is served again');

  await t.test('a fork bomb', async (t) => {
    const explosion = get(apache.at(troubled), '/bomb.php');
    const peak = mostProcesses(guise, troubled, explosion);
    isHardlyTouched(t, await neighbour.during(explosion), calmMs, busyMs);
    t.equal((await explosion).status, 504);
    t.ok((await peak) > most / 2, `it went off: ${await peak} processes`);
    t.ok((await peak) <= most, 'and ended at the limit');
    await treeIsGone(t, guise, troubled, /\bsh\b|setsid/);
    await isServed(t);
  });

  await t.test('a site at its limit of processes', async (t) => {
    const crowded = get(apache.at(troubled), '/crowd.php');
    await until('as many processes as it may have', () => guise.processesOf(troubled.user).length >= most);
    const others = Promise.all(Array.from({ length: 3 }, () => get(apache.at(troubled), '/index.php')));
    isHardlyTouched(t, await neighbour.during(Promise.all([crowded, others])), calmMs, busyMs);
    t.equal((await crowded).status, 504);
    for (const reply of await others)
      t.equal(reply.status, 200, 'its other visitors wait until there is room');
    const lines = (await guise.logged(/could not be forked/)).length;
    t.ok(lines <= 10, `said in ${lines} lines`);
    await guise.logged(/fork failed with EAGAIN: the user has as many processes as limits.nproc allows/);
    await treeIsGone(t, guise, troubled, /sleep/);
    await isServed(t);
  });
  await t.test('a user who has them elsewhere', async (t) => {
    await guise.says('site', 'restart', troubled.name);
    const { uid, gid } = troubled.user;
    const elsewhere = startService(
      '/usr/bin/setpriv',
      [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '/bin/sh', '-c', 'sleep 600 & sleep 600 & wait'],
      `${world.directory}/elsewhere.out`,
    );
    await until('his processes', () => guise.processesOf(troubled.user).length >= 3);
    await guise.says('site', 'set', troubled.name, '--set', 'limits.nproc=2');
    await until('the old ones to end', () => guise.processesOf(troubled.user).length === 3);
    const reply = await get(apache.at(troubled), '/index.php');
    t.equal(reply.status, 502);
    t.match((await guise.siteStatus(troubled.name)).lastProblem, /step exec .*EAGAIN.*limits\.nproc/);
    for (const { pid, command } of guise.processesOf(troubled.user)) {
      if (command.startsWith('sleep')) process.kill(pid, 'SIGKILL');
    }
    await until('them to end', () => elsewhere.exit() !== undefined);
    await guise.says('site', 'set', troubled.name, '--set', `limits.nproc=${most}`);
    await isServed(t);
  });
  await neighbour.close(t);

  await t.test('what holds where nobody has set anything', async (t) => {
    const { templatePid = 0 } = await guise.siteStatus(fine.name);
    const [, soft, hard] = /^Max processes +(\d+) +(\d+) /m.exec(read(`/proc/${templatePid}/limits`)) ?? [];
    t.equal(soft, hard);
    t.ok(Number(soft) >= 512 && Number(soft) <= 4096, `${soft} processes`);
    t.equal(read(`/proc/${templatePid}/oom_score_adj`).trim(), '500');
    t.equal((await get(apache.at(fine), '/lower.php')).text(), '501\n', 'a script can only make it worse');
  });
});
