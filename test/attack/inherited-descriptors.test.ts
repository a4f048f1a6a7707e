/**
 * What a script starts inherits what its process has open. The listening socket of a pool is a way to take its
 * visitors; the log, a channel or a connection are ways to disturb everybody.
 */

import { get } from '../harness/http.js';
import type { ChildSeen } from '../harness/php-pages.js';
import { arena } from './arena.js';

/** Every descriptor of a started program, asked without /proc; PHP may have the script itself open. */
const asked = `<?php
$program = "import os
script = os.stat('" . __FILE__ . "').st_ino
for fd in range(256):
    try:
        status = os.fstat(fd)
        if status.st_ino != script: print(fd, 'socket' if status.st_mode & 0o170000 == 0o140000 else 'other')
    except OSError: pass";
echo json_encode(explode("\\n", trim((string) shell_exec('python3 -c ' . escapeshellarg($program)))));`;

await arena(
  async (t, { alice, bob, fpm, guise }) => {
    await t.test('php-fpm: a program that a script starts has the sockets of the pool', async (t) => {
      const seen = (await get(fpm.apache(alice), '/child.php')).json() as ChildSeen;
      const sockets = seen.descriptors.filter((line) => line.includes('socket:'));
      t.ok(sockets.length > 0, sockets.join(', '));
    });

    await t.test('the test sees sockets where there are any', async (t) => {
      const open = (await get(fpm.apache(alice), '/asked.php')).json() as string[];
      t.ok(
        open.some((line) => line.endsWith('socket')),
        open.join(', '),
      );
    });

    for (const site of [alice, bob]) {
      await t.test(
        `guise, ${site === alice ? 'pool' : 'per-request'}: input, output and errors`,
        async (t) => {
          const open = (await get(guise.apache(site), '/asked.php')).json() as string[];
          t.same(open, ['0 other', '1 other', '2 other']);
        },
      );
    }
  },
  {
    alice: { files: { 'asked.php': asked } },
    bob: { files: { 'asked.php': asked }, args: ['--mode', 'per-request'] },
  },
);
