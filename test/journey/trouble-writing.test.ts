/** Scripts that write without end: to their standard error, to PHP's log, and to a temporary directory until it is full. */

import { readdirSync, statSync } from 'node:fs';
import type { Test } from 'tap';
import { apacheFor } from '../harness/apache.js';
import { get, type Reply } from '../harness/http.js';
import { isHardlyTouched, Neighbour, treeIsGone, waitBesideBusyProcesses } from '../harness/neighbour.js';
import { journey } from '../harness/world.js';

const workers = 3;
const fileSize = 1024 ** 2;

/** PHP's own standard error, that of a program, and the log. */
const flood = `<?php
shell_exec('yes the same line again and again >&2 &');
$error = fopen('php://stderr', 'w');
for (;;) {
    fwrite($error, str_repeat('x', 65536));
    for ($i = 0; $i < 50; $i++) error_log(str_repeat('y', 4000));
}`;

/** Writes until nothing fits any more, and goes on trying. */
const fill = `<?php
$file = fopen(sys_get_temp_dir() . '/' . getmypid(), 'w');
for (;;) if (!@fwrite($file, str_repeat('x', 65536))) usleep(1000);`;

const upload = `<?php echo $_FILES['file']['error'];`;

await journey(
  async (t, world) => {
    const { guise } = world;
    const troubled = await guise.addSite({
      name: 'troubled.test',
      user: 'alice',
      files: { 'flood.php': flood, 'fill.php': fill, 'up.php': upload },
      args: ['--max-workers', String(workers), '--set', 'time_limit=3s', '--set', 'tmp_size=8M'],
    });
    const fine = await guise.addSite({ name: 'fine.test', user: 'bob', files: { 'up.php': upload } });
    const apache = await apacheFor(world, [troubled, fine]);
    const neighbour = new Neighbour(apache.at(fine), fine);
    const calmMs = await neighbour.during();
    const busyMs = await waitBesideBusyProcesses(world, neighbour, 2 * workers);
    const visitors = (path: string): Promise<Reply[]> =>
      Promise.all(Array.from({ length: workers }, () => get(apache.at(troubled), path)));
    const isServed = async (t: Test): Promise<void> => {
      t.equal((await get(apache.at(troubled), '/index.php')).status, 200, 'the site is served again');
    };

    await t.test('a flood of errors', async (t) => {
      const floods = visitors('/flood.php');
      isHardlyTouched(t, await neighbour.during(floods), calmMs, busyMs);
      for (const { status } of await floods) t.equal(status, 504);
      await treeIsGone(t, guise, troubled, /yes/);
      await isServed(t);
      const logs = `${guise.instance.log}/sites/${troubled.name}`;
      const older = readdirSync(logs).filter((name) => /^php\.log\.\d$/.test(name));
      t.ok(older.length > 0 && older.length <= 2, `${older.length} older files`);
      for (const name of older)
        t.ok(statSync(`${logs}/${name}`).size <= 2 * fileSize, `${name} has been cut`);
      t.ok(
        statSync(`${guise.instance.log}/guise.log`).size < fileSize,
        'nothing of it comes to the log of guise',
      );
    });

    await t.test('a temporary directory that is full', async (t) => {
      const fills = visitors('/fill.php');
      isHardlyTouched(t, await neighbour.during(fills), calmMs, busyMs);
      for (const { status } of await fills) t.equal(status, 504);
      await isServed(t);
    });
    await neighbour.close(t);
  },
  { ledger: 'file_size = "1M"' },
);
