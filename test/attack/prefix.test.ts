/** Whoever compares paths as strings takes /home/alice/www2 for a part of /home/alice/www, as suexec and suPHP did. */

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { arena, forge, handOver, htaccess, refused } from './arena.js';

const here = '<?php echo json_encode(["file" => __FILE__, "uid" => posix_getuid()]);';

await arena(async (t, { instance, alice, fpm, guise }) => {
  const beside = `${alice.root}2`;
  mkdirSync(beside, { mode: 0o755 });
  writeFileSync(`${beside}/x.php`, here);
  for (const path of [beside, `${beside}/x.php`]) chownSync(path, alice.user.uid, alice.user.gid);

  const ask = (socket: string, script: string): void =>
    htaccess(alice, ...handOver('whoami.php', socket), forge('SCRIPT_FILENAME', script));

  await t.test('php-fpm runs whatever it is told to, wherever it lies', async (t) => {
    ask(fpm.service.listen(alice), `${beside}/x.php`);
    const seen = (await get(fpm.apache(alice), '/whoami.php')).json() as Whoami;
    t.equal(seen.file, `${beside}/x.php`);
  });

  const { root } = alice;
  const attempts: readonly (readonly [string, number, string])[] = [
    [`${beside}/x.php`, 403, 'script-outside-root'],
    [`${root}/../www2/x.php`, 400, 'script-bad-path'],
    [`${root}/./../www2/x.php`, 400, 'script-bad-path'],
    [`${root}/%2e%2e/www2/x.php`, 404, 'script-not-found'],
    [`proxy:fcgi://x${root}/%2e%2e/www2/x.php`, 400, 'script-bad-path'],
    [`proxy:fcgi://x/${beside}/x.php`, 403, 'script-outside-root'],
    [`${beside}//x.php/${root}/whoami.php`, 403, 'script-outside-root'],
    [`/proc/self/cwd/../www2/x.php`, 400, 'script-bad-path'],
    [`/proc/self/root${beside}/x.php`, 403, 'script-outside-root'],
    [root, 403, 'script-outside-root'],
    [`relative/whoami.php`, 400, 'script-bad-path'],
    ['', 404, 'script-not-named'],
  ];
  for (const [script, status, reason] of attempts) {
    await t.test(`guise: ${script.replaceAll(root, 'ROOT') || 'no script'}`, async (t) => {
      ask(instance.socket, script);
      await refused(t, instance, await get(guise.apache(alice), '/whoami.php'), status, reason);
    });
  }

  await t.test('guise: what the attempts resemble is allowed', async (t) => {
    for (const script of [`${root}//./whoami.php`, `proxy:fcgi://x${root}/whoami.php`]) {
      ask(instance.socket, script);
      t.match((await get(guise.apache(alice), '/whoami.php')).json(), { file: `${root}/whoami.php` });
    }
  });
});
