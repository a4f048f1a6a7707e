/**
 * Scripts that never end, and scripts that take all the memory there is: their visitors are told, their neighbour's see
 * nothing of it.
 */

import type { Test } from 'tap';
import { get, type Reply } from '../harness/http.js';
import { isHardlyTouched, Neighbour, treeIsGone, waitBesideBusyProcesses } from '../harness/neighbour.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

const workers = 6;

const loop = '<?php for (;;);';

/** In PHP's own memory, and in that of a program; as fast as it goes. */
const hog = `<?php
ini_set('memory_limit', '-1');
shell_exec("python3 -c 'b = bytearray(1 << 40)' 2> /dev/null; python3 -c 'a = []\\nwhile 1: a.append(bytearray(1 << 20))' 2> /dev/null");
for ($held = []; ; ) $held[] = str_repeat('x', 1 << 20);`;

await journey(async (t, world) => {
  const { guise } = world;
  const troubled = await guise.addSite({
    name: 'troubled.test',
    user: 'alice',
    files: { 'loop.php': loop, 'hog.php': hog },
    args: ['--max-workers', String(workers), '--set', 'time_limit=2s', '--set', 'limits.as=256M'],
  });
  const fine = await guise.addSite({ name: 'fine.test', user: 'bob' });
  const nginx = await nginxFor(world, [troubled, fine]);
  const neighbour = new Neighbour(nginx.at(fine), fine);
  const calmMs = await neighbour.during();
  const busyMs = await waitBesideBusyProcesses(world, neighbour, workers);
  const visitors = (path: string): Promise<Reply[]> =>
    Promise.all(Array.from({ length: workers }, () => get(nginx.at(troubled), path)));
  const isServed = async (t: Test): Promise<void> => {
    t.equal((await get(nginx.at(troubled), '/index.php')).status, 200, 'the site is served again');
  };

  await t.test('endless loops in all of its workers', async (t) => {
    const loops = visitors('/loop.php');
    const late = get(nginx.at(troubled), '/index.php');
    isHardlyTouched(t, await neighbour.during(loops), calmMs, busyMs);
    for (const { status } of await loops) t.equal(status, 504);
    t.equal((await late).status, 200, 'who came too late for a worker waits for the next one');
    await isServed(t);
  });

  await t.test('all the memory there is', async (t) => {
    await guise.says('site', 'set', troubled.name, '--set', 'time_limit=20s');
    const hogs = visitors('/hog.php');
    isHardlyTouched(t, await neighbour.during(hogs), calmMs, busyMs);
    for (const { status } of await hogs)
      t.ok([500, 502].includes(status), `${status}: PHP says it or dies of it`);
    await treeIsGone(t, guise, troubled, /python3/);
    await isServed(t);
  });
  await neighbour.close(t);
});
