/** PHP's memory_limit is a setting that a script may lift. A limit of the process is not. */

import { get } from '../harness/http.js';
import { arena } from './arena.js';

const wantedMb = 700;

/** In PHP's own memory, and in memory that PHP knows nothing of. */
const hog = `<?php
ini_set('memory_limit', '-1');
$bytes = ${wantedMb} << 20;
if (isset($_GET['outside'])) {
    exit((string) shell_exec("python3 -c 'b = bytearray($bytes); print(len(b) >> 20)' 2>/dev/null"));
}
$text = str_repeat('x', $bytes);
echo strlen($text) >> 20;`;

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    await t.test('php-fpm: she takes what she wants', async (t) => {
      for (const page of ['/hog.php', '/hog.php?outside']) {
        t.equal((await get(fpm.apache(alice), page)).text().trim(), String(wantedMb), page);
      }
    });

    await t.test('guise: the limit of the process stands', async (t) => {
      const reply = await get(guise.apache(alice), '/hog.php');
      // Some versions of PHP say so themselves, others die of it, and then guise has the page.
      t.ok([500, 502].includes(reply.status), String(reply.status));
      t.notMatch(reply.text(), String(wantedMb));
      t.equal(
        (await get(guise.apache(alice), '/hog.php?outside')).text().trim(),
        '',
        'and so does a program',
      );
    });

    await t.test('guise: everybody is served afterwards', async (t) => {
      for (const site of [alice, bob]) {
        t.equal((await get(guise.apache(site), '/index.php')).text(), `front page of ${site.name}`);
      }
    });

    await t.test('without the limit she takes it here too', async (t) => {
      await instance.says('site', 'set', alice.name, '--unset', 'limits.as');
      t.equal((await get(guise.apache(alice), '/hog.php')).text(), String(wantedMb));
    });
  },
  { alice: { args: ['--set', 'limits.as=512M'], files: { 'hog.php': hog } } },
);
