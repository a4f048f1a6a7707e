/** A script that starts more programs than a machine can bear: here a few dozen, and all of them are ended again. */

import { get } from '../harness/http.js';
import { arena } from './arena.js';

const wanted = 60;
const most = 25;

const bomb = `<?php
$started = [];
for ($i = 0; $i < ${wanted}; $i++) {
    $program = @proc_open(['/bin/sleep', '20'], [], $pipes);
    if (!is_resource($program)) break;
    $started[] = $program;
}
foreach ($started as $program) proc_terminate($program, 9);
foreach ($started as $program) proc_close($program);
echo json_encode(count($started));`;

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    await t.test('php-fpm has no limit of its own', async (t) => {
      t.equal((await get(fpm.apache(alice), '/bomb.php')).json(), wanted);
    });

    await t.test('guise stops her at the site’s limit', async (t) => {
      const started = (await get(guise.apache(alice), '/bomb.php')).json() as number;
      // RLIMIT_NPROC counts every process of the user, php-fpm's and guise's own included.
      t.ok(started > 0 && started < most, `${started} of ${wanted}`);
    });

    await t.test('guise: he is served meanwhile, and starts what he likes', async (t) => {
      const [hers, his] = await Promise.all([
        get(guise.apache(alice), '/bomb.php'),
        get(guise.apache(bob), '/bomb.php'),
      ]);
      t.ok((hers.json() as number) < most);
      t.equal(his.json(), wanted);
    });

    await t.test('guise: she is still served afterwards', async (t) => {
      t.equal((await get(guise.apache(alice), '/index.php')).text(), `front page of ${alice.name}`);
      t.equal(instance.processesOf(alice.user).filter(({ command }) => command.includes('sleep')).length, 0);
    });
  },
  {
    alice: { args: ['--set', `limits.nproc=${most}`], files: { 'bomb.php': bomb } },
    bob: { files: { 'bomb.php': bomb } },
  },
);
