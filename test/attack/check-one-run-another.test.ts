/**
 * PHP looks for its script in several parameters. Whoever checks one of them and lets PHP choose has checked nothing:
 * here SCRIPT_FILENAME names a harmless script, and PATH_TRANSLATED what really runs.
 */

import { chmodSync } from 'node:fs';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Seen } from '../harness/php-pages.js';
import { arena, forge, handOver, htaccess, refused } from './arena.js';

const here = '<?php echo json_encode(["file" => __FILE__, "server" => $_SERVER]);';

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    const harmless = `${alice.root}/harmless.php`;
    const other = `${alice.root}/other.php`;
    const misleading = (socket: string, file: string, ...more: string[]): void =>
      htaccess(
        alice,
        ...handOver('harmless.php', socket),
        forge('SCRIPT_FILENAME', harmless),
        forge('PATH_TRANSLATED', file),
        forge('SCRIPT_NAME', '/harmless.php'),
        forge('DOCUMENT_ROOT', alice.root),
        ...more,
      );
    const redirected = [forge('REDIRECT_URL', '/other.php'), forge('PATH_INFO', '/other.php')];

    await t.test('php-fpm: another file than SCRIPT_FILENAME runs', async (t) => {
      misleading(fpm.service.listen(alice), other, ...redirected);
      const seen = (await get(fpm.apache(alice), '/harmless.php')).json() as Seen;
      t.equal(seen.file, other);
    });

    const attempts: readonly (readonly [string, readonly string[]])[] = [
      ['PATH_TRANSLATED alone', []],
      ['with REDIRECT_URL', redirected],
      ['ORIG_ names', [forge('ORIG_SCRIPT_FILENAME', other), forge('ORIG_PATH_TRANSLATED', other)]],
      ['a second REDIRECT_', [forge('REDIRECT_PATH_TRANSLATED', other), forge('REDIRECT_REDIRECT_URL', '/')]],
      ['another SCRIPT_NAME', [...redirected, forge('SCRIPT_NAME', '/other.php')]],
      ['another DOCUMENT_ROOT', [...redirected, forge('DOCUMENT_ROOT', '/tmp')]],
    ];
    for (const [what, more] of attempts) {
      await t.test(`guise: ${what}: what was checked runs`, async (t) => {
        misleading(instance.socket, other, ...more);
        const seen = (await get(guise.apache(alice), '/harmless.php')).json() as Seen;
        t.equal(seen.file, harmless);
        t.equal(seen.server.PATH_TRANSLATED, undefined, 'and PATH_TRANSLATED is gone');
      });
    }

    await t.test('guise: the other file is checked when it is the one that is named', async (t) => {
      writeAs(alice, 'open.php', here);
      chmodSync(`${alice.root}/open.php`, 0o666);
      misleading(instance.socket, harmless, forge('SCRIPT_FILENAME', `${alice.root}/open.php`));
      await refused(t, instance, await get(guise.apache(alice), '/harmless.php'), 403, 'script-writable');
    });
  },
  { alice: { files: { 'harmless.php': here, 'other.php': here } } },
);
