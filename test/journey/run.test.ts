/** `guise run`: cron jobs and shells as a site. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { packageRoot } from '../../src/os/addon.js';
import { finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { writeAs } from '../harness/guise.js';
import { journey } from '../harness/world.js';

await journey(async (t, { guise }) => {
  const args = ['--set', 'umask=027', 'env.APP=shop', 'limits.nofile=123', 'php_ini.set.precision=9'];
  const site = await guise.addSite({ name: 'run.test', user: 'alice', args });
  const { config } = guise.instance;
  const words = (...command: string[]): string[] => [
    `${packageRoot()}/bin/guise`,
    'run',
    '-c',
    config,
    site.name,
    '--',
    ...command,
  ];
  const run = (...command: string[]) => finish(process.execPath, words(...command), 'from root\n');

  await t.test('who it is, where, and with what', async (t) => {
    const { stdout } = await run('sh', '-c', 'id -u; id -G; pwd; umask; ulimit -n; echo $APP $TMPDIR; cat');
    const [uid, groups = '', where, mask, files, env, input] = stdout.split('\n');
    t.equal(uid, String(site.user.uid));
    t.same(
      groups
        .split(' ')
        .map(Number)
        .sort((a, b) => a - b),
      site.user.groups,
    );
    t.equal(where, site.root);
    t.equal(mask, '0027');
    t.equal(files, '123');
    t.equal(env, `shop ${guise.instance.state}/sites/run.test/tmp`);
    t.equal(input, 'from root');
  });

  await t.test('php has the settings of the site', async (t) => {
    writeAs(
      site,
      'cron.php',
      '<?php echo ini_get("precision"), " ", ini_get("sys_temp_dir"), " ", $argv[1] ?? "";',
    );
    for (const command of [
      ['php-cgi', '-q', 'cron.php'],
      ['php', 'cron.php', 'now'],
    ])
      t.match(await run(...command), {
        code: 0,
        stdout: `9 ${guise.instance.state}/sites/run.test/tmp`,
      });
  });

  await t.test('how it ends is how guise ends', async (t) => {
    t.match(await run('sh', '-c', 'echo out; echo err >&2; exit 7'), {
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    t.match(await run('sh', '-c', 'kill -9 $$'), { code: 137 });
    t.match(await run('no-such-command'), { code: 2, stderr: /no command "no-such-command"/ });
    t.match(await run('/etc/passwd'), { code: 8, stderr: /failed at step exec/ });
    t.match(await guise.run('run', 'none.test', 'true'), { code: 7 });
  });

  await t.test('signals are passed on, and what it leaves is ended', async (t) => {
    const script = 'trap "exit 9" TERM; sleep 1000 & echo ready; wait';
    // Through env(1), for tap adds to the environment of every child.
    const clean = ['-i', `PATH=${process.env.PATH ?? ''}`, process.execPath];
    const child = spawn('env', [...clean, ...words('sh', '-c', script)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    t.equal(code, 9);
    await until('nothing to be left', () => guise.processesOf(site.user).length === 0);
  });
});
