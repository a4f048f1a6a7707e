/** On a kernel without Landlock: it is said once, sites run as before, and do not where they must be confined. */

import { appendFileSync, writeFileSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { type Service, startService, succeed } from '../../src/quickstart/command.js';
import { guiseProgram } from '../../src/quickstart/daemon.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { journey } from '../harness/world.js';

const enosys = '38';
const read = '<?php echo json_encode(@file_get_contents($_GET["path"]));';

await journey(async (t, world) => {
  const { guise } = world;
  const { instance } = guise;
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice', files: { 'read.php': read } });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob', args: ['--set', 'confine=off'] });
  writeAs(bob, 'open.txt', 'open');
  const apache = await apacheFor(world, [alice, bob]);
  await guise.stop();

  const program = `${world.directory}/without-landlock`;
  await succeed('cc', ['-std=c11', '-o', program, `${packageRoot()}/test/native/without-landlock.c`]);
  const blind = (...args: string[]): string[] => [
    ...[enosys, process.execPath, guiseProgram, ...args],
    ...['--config', instance.config],
  ];
  const start = async (): Promise<Service> => {
    writeFileSync(`${instance.log}/guise.log`, '');
    const daemon = startService(program, blind('daemon'), `${world.directory}/blind.out`, world.directory);
    world.undo.push('stop the daemon without Landlock', () => daemon.stop());
    await until('guise to answer', async () => (await guise.run('ping')).code === 0, 20_000);
    return daemon;
  };

  await t.test('sites run, unconfined', async (t) => {
    const daemon = await start();
    t.equal((await get(apache.at(alice), `/read.php?path=${bob.root}/open.txt`)).json(), 'open');
    const lines = guise.log().filter((line) => /Landlock/.test(line.msg));
    t.match(lines, [{ level: 40, process: 'master', reason: /Linux 5.13/, msg: /file modes alone/ }]);
    const said = await succeed(program, blind('check'));
    t.match(said, /2 sites fine\nnote: there is no Landlock here .*keep 1 site from reading/);
    t.match(JSON.parse(await succeed(program, blind('check', '--json'))), {
      ok: true,
      notes: [/no Landlock/, /found by its processes/],
    });
    t.match(
      JSON.parse(await guise.says('check', '--json')),
      { ok: true, notes: [/found by its processes/] },
      'and nothing where there is',
    );
    await daemon.stop();
  });

  await t.test('where confinement is required, only those run that do not ask for it', async (t) => {
    guise.allowErrors(/site is parked/);
    appendFileSync(instance.config, '[security]\nrequire_confinement = true\n');
    const daemon = await start();
    t.equal((await get(apache.at(bob), '/whoami.php')).status, 200);
    t.not((await get(apache.at(alice), '/whoami.php')).status, 200);
    t.match((await guise.status()).parked, [{ name: 'alice.test' }]);
    t.match(await guise.logged(/alice.test/), [
      { msg: 'site is parked', problems: [{ message: /cannot be confined/, remedy: /confine = "off"/ }] },
    ]);
    await daemon.stop();
    t.equal(readText(`${world.directory}/blind.out`), '');
  });
});
