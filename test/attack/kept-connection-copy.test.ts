/**
 * A script keeps a copy of the web server's connection, in a process that outlives the request, and waits for what comes
 * next on it. Where web servers keep connections open, that is the next visitor's request.
 */

import { until } from '../../src/quickstart/until.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { arena, type Web } from './arena.js';
import { ffi, ffiPool, libc } from './native.js';

/**
 * Reads from every stream socket of the process, and answers: in the script itself, once it has given a complete answer
 * (`?stay`), or in a process that outlives the request.
 */
const copy = `${libc}<?php
$copies = array_map(fn ($fd) => $c->dup($fd), sockets(STREAM));
$answer = record(6, "Content-Type: text/plain\\r\\n\\r\\nforged") . record(3, str_repeat("\\0", 8));
$listen = function () use ($c, $copies, $answer): void {
    $buffer = $c->new('char[65536]');
    file_put_contents(__DIR__ . '/caught', 'ready ');
    for ($turn = 0; $turn < 30000 && !file_exists(__DIR__ . '/stop'); $turn++) {
        foreach ($copies as $fd) {
            $n = $c->recv($fd, $buffer, 65536, MSG_DONTWAIT);
            $bytes = $n > 0 ? FFI::string($buffer, $n) : '';
            if ($n > 0) file_put_contents(__DIR__ . '/caught', $bytes, FILE_APPEND);
            $isTime = !isset($_GET['stay']) && $turn % 500 === 0;
            if (str_contains($bytes, 'password') || $isTime) $c->send($fd, $answer, strlen($answer), MSG_DONTWAIT | 0x4000);
        }
        clearstatcache();
        $c->usleep(100);
    }
    file_put_contents(__DIR__ . '/caught', ' over', FILE_APPEND);
};
if (isset($_GET['stay'])) {
    $c->send($copies[0], $answer, strlen($answer), 0x4000);
    $listen();
    posix_kill(getmypid(), 9);
}
$child = $c->fork();
if ($child === 0) {
    if ($c->fork() !== 0) $c->_exit(0);
    $c->setsid();
    $listen();
    $c->_exit(0);
}
$c->waitpid($child, null, 0);
echo 'copied ', count($copies);`;

const clean = `<?php @unlink(__DIR__ . '/stop'); @unlink(__DIR__ . '/caught'); echo 'clean';`;

const visitors = 15;

interface Haul {
  readonly pages: readonly string[];
  readonly caught: string;
}

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    // What a script leaves running ends with its request; where it may stay, it must gain nothing.
    await instance.says('site', 'set', alice.name, '--set', 'background=keep');
    const caught = (): string => readText(`${alice.root}/caught`);
    /** What came back to visitors of this site, and what was caught meanwhile. */
    const attack = async (web: Web, site: Site, page: string, begin: RegExp): Promise<Haul> => {
      await get(web.at(alice), '/clean.php');
      t.match((await get(web.at(alice), page)).text(), begin, `${web.name}: the attack begins`);
      await until('the copy to be ready', () => caught().startsWith('ready'));
      const pages: string[] = [];
      for (let n = 0; n < visitors; n += 1) {
        const reply = await get(web.at(site), `/index.php?password=private-${n}`).catch(() => undefined);
        pages.push(reply?.text() ?? 'broken');
      }
      writeAs(alice, 'stop', '');
      await until('the copy to end', () => caught().endsWith(' over'));
      return { pages, caught: caught() };
    };
    const honest = (site: Site): string[] =>
      Array.from({ length: visitors }, () => `front page of ${site.name}`);

    await t.test('php-fpm: the next request of the same pool is read and answered', async (t) => {
      const [, nginx] = fpm.webs;
      if (nginx === undefined) throw new Error('there is no nginx');
      const { pages, caught } = await attack(nginx, alice, '/copy.php?stay', /forged/);
      t.match(caught, 'password=private-');
      t.ok(
        pages.some((page) => page.includes('forged')),
        'visitors get what she wrote',
      );
    });

    for (const web of guise.webs) {
      for (const site of [bob, alice]) {
        await t.test(`guise behind ${web.name}: nothing of ${site.name} is read or answered`, async (t) => {
          const { pages, caught } = await attack(web, site, '/copy.php', /copied|forged/);
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
    alice: { args: ffi, files: { 'copy.php': copy, 'clean.php': clean } },
  },
);
