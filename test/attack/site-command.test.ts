/**
 * A command that root runs as a site, for instance a cron job whose script the tenant writes: it must gain nothing of
 * root's, neither by what it inherits nor through root's terminal, and nothing of another site's.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { finish } from '../../src/quickstart/command.js';
import { writeAs } from '../harness/guise.js';
import { journey } from '../harness/world.js';

/** Types a command into the terminal that it was started from, as TIOCSTI allows; then tries to take it over. */
const typing = `import fcntl, os, termios, sys
for name, how in (("TIOCSTI", lambda: [fcntl.ioctl(0, termios.TIOCSTI, bytes([c])) for c in b"id\\n"]),
                  ("TIOCSCTTY", lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
                  ("tty", lambda: os.open("/dev/tty", os.O_RDWR))):
    try:
        how(); print(name, "worked")
    except OSError as error:
        print(name, "refused")
`;

await journey(async (t, { guise }) => {
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice' });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob' });
  writeAs(bob, 'open.txt', 'everybody may read this', 0o644);
  const { config } = guise.instance;
  const words = (...command: string[]): string[] => [
    `${packageRoot()}/bin/guise`,
    'run',
    '-c',
    config,
    'alice.test',
    '--',
    ...command,
  ];
  const run = (...command: string[]) => finish(process.execPath, words(...command));

  await t.test('no way back to root, and none to another site', async (t) => {
    const script = `<?php
      foreach ([[posix_setuid(...), 0], [posix_setgid(...), 0], [posix_seteuid(...), 0],
                [posix_setuid(...), ${bob.user.uid}], [posix_initgroups(...), 'root', 0]] as $try)
        echo @$try[0](...array_slice($try, 1)) ? 'changed' : 'refused', "\\n";
      echo posix_getuid(), ' ', posix_geteuid(), "\\n";`;
    writeAs(alice, 'change.php', script);
    const { stdout } = await run('php', 'change.php');
    t.same(stdout.trim().split('\n'), [
      ...Array<string>(5).fill('refused'),
      `${alice.user.uid} ${alice.user.uid}`,
    ]);
    const read = await run('cat', `${bob.root}/open.txt`, `${guise.instance.sites}/bob.test.toml`, config);
    t.match(read, { code: 1, stdout: '' }, 'not even what modes would let everybody read');
  });

  await t.test("nothing of root's environment, and no descriptor", async (t) => {
    const kept = openSync('/etc/shadow', 'r');
    const script = 'env; for i in 3 4 5 6 7 8 9; do (eval ": <&$i") 2> /dev/null && echo FD $i; done; true';
    // Through env(1), for tap adds to the environment of every child.
    const roots = [
      `PATH=${process.env.PATH ?? ''}`,
      'SECRET=hunter2',
      'LD_PRELOAD=',
      'NODE_OPTIONS=',
      'TERM=x\u001b[2J',
    ];
    const child = spawn('env', ['-i', ...roots, process.execPath, ...words('sh', '-c', script)], {
      stdio: ['ignore', 'pipe', 'inherit', kept, kept, kept],
    });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close');
    t.match(text, /^TMPDIR=/m);
    t.notMatch(text, /hunter2|NODE_OPTIONS|TERM|FD \d/);
  });

  await t.test("root's terminal is out of reach", async (t) => {
    writeAs(alice, 'typing.py', typing);
    const command = words('python3', 'typing.py')
      .map((word) => `'${word}'`)
      .join(' ');
    const { stdout } = await finish('script', ['-qec', `'${process.execPath}' ${command}`, '/dev/null']);
    t.match(stdout, /TIOCSTI refused\s+TIOCSCTTY refused\s+tty refused/);
  });

  await t.test('only root may run it', async (t) => {
    const who = ['--reuid', String(bob.user.uid), '--regid', String(bob.user.gid), '--init-groups'];
    t.match(await finish('setpriv', [...who, process.execPath, ...words('id')]), {
      code: 4,
      stdout: '',
      stderr: /only root/,
    });
  });

  await t.test('what it leaves running is ended, wherever it hides', async (t) => {
    const hide =
      'setsid sh -c "setsid sleep 1000 & setsid sleep 1000 & wait" > /dev/null 2>&1 & sleep 0.2; echo done';
    t.match(await run('sh', '-c', hide), { code: 0, stdout: 'done\n' });
    t.same(guise.processesOf(alice.user), []);
  });
});
