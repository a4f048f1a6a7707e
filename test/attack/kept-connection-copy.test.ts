/**
 * A script keeps a copy of the web server's connection, in a process that outlives the request, and waits for what comes
 * next on it. Where web servers keep connections open, that is the next visitor's request.
 */

import { until } from '../../src/quickstart/until.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { arena, type Web } from './arena.js';
import { ffi, ffiPool, libc } from './native.js';

/** Long enough for all visitors, in tenths of a millisecond. */
const turns = 20_000;

/** Forks a process that reads from every stream socket of this one, and answers in the script's place. */
const copy = `${libc}<?php
$copies = array_map(fn ($fd) => $c->dup($fd), sockets(STREAM));
if ($c->fork() === 0) {
    $c->setsid();
    $buffer = $c->new('char[65536]');
    $answer = record(6, "Content-Type: text/plain\\r\\n\\r\\nforged") . record(3, str_repeat("\\0", 8));
    file_put_contents(__DIR__ . '/caught', 'ready ');
    for ($turn = 0; $turn < ${turns} && !file_exists(__DIR__ . '/stop'); $turn++) {
        foreach ($copies as $fd) {
            $n = $c->recv($fd, $buffer, 65536, 0x40);
            if ($n > 0) file_put_contents(__DIR__ . '/caught', FFI::string($buffer, $n), FILE_APPEND);
            if ($n > 0 || $turn % 500 === 0) $c->send($fd, $answer, strlen($answer), 0x4040);
        }
        if ($turn % 100 === 0) clearstatcache();
        $c->usleep(100);
    }
    file_put_contents(__DIR__ . '/caught', ' over', FILE_APPEND);
    $c->_exit(0);
}
echo 'copied ', count($copies);`;

const clean = `<?php @unlink(__DIR__ . '/stop'); @unlink(__DIR__ . '/caught'); echo 'clean';`;
const stop = `<?php touch(__DIR__ . '/stop'); echo 'told';`;

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const caught = (): string => readText(`${alice.root}/caught`);
    /** What came back to visitors of this site, and what the copy caught, while it was there. */
    const attack = async (web: Web, site: Site): Promise<{ pages: string[]; caught: string }> => {
      await get(web.at(alice), '/clean.php');
      t.match((await get(web.at(alice), '/copy.php')).text(), /copied \d+/, `${web.name}: the attack begins`);
      await until('the copy to be ready', () => caught().startsWith('ready'));
      const pages: string[] = [];
      for (let n = 0; n < 25; n += 1) {
        const reply = await get(web.at(site), `/index.php?password=private-${n}`).catch(() => undefined);
        pages.push(reply?.text() ?? 'broken');
      }
      await get(web.at(alice), '/stop.php').catch(() => undefined);
      await get(web.at(alice), '/stop.php').catch(() => undefined);
      await until('the copy to end', () => caught().endsWith(' over'));
      return { pages, caught: caught() };
    };
    const honest = (site: Site): string[] => Array.from({ length: 25 }, () => `front page of ${site.name}`);

    await t.test('php-fpm: the next request of the same pool is read and answered', async (t) => {
      const [, nginx] = fpm.webs;
      if (nginx === undefined) throw new Error('there is no nginx');
      const { pages, caught } = await attack(nginx, alice);
      t.match(caught, 'password=private-');
      t.ok(
        pages.some((page) => page.includes('forged')),
        'visitors get what she wrote',
      );
    });

    for (const web of guise.webs) {
      for (const site of [bob, alice]) {
        await t.test(`guise behind ${web.name}: nothing of ${site.name} is read or answered`, async (t) => {
          const { pages, caught } = await attack(web, site);
          t.equal(caught, 'ready  over');
          t.same(pages, honest(site));
        });
      }
    }

    await t.test(
      'guise: it was one connection for both sites, so there was something to be had',
      async (t) => {
        t.equal(await instance.routerConnections(), guise.webs.length);
      },
    );
  },
  {
    nginx: true,
    kept: true,
    pools: { lines: () => ffiPool },
    alice: { args: ffi, files: { 'copy.php': copy, 'clean.php': clean, 'stop.php': stop } },
  },
);
