/**
 * The opcache that php-fpm's pools share: whoever runs PHP in one of them lists, reads and empties it for all.
 * guise's templates each have one of their own.
 */

import { until } from '../../src/quickstart/until.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { OpcacheSeen } from '../harness/php-pages.js';
import { arena, type Side } from './arena.js';

const password = 'the password of bob';

/** `?file=`: includes a file that the caller perhaps may not read, and shows what it defines. */
const peek = `<?php
$password = null;
$file_is_readable = is_readable($_GET['file']);
@include $_GET['file'];
echo json_encode(['uid' => posix_getuid(), 'readable' => $file_is_readable, 'password' => $password]);`;

const flush = `<?php echo json_encode(['done' => opcache_reset(), 'invalidated' => opcache_invalidate($_GET['file'], true)]);`;

/** Uses its settings, and says whether they came from the cache. */
const application = `<?php
require __DIR__ . '/settings.php';
$status = opcache_get_status(true);
echo json_encode(['cached' => isset($status['scripts'][__DIR__ . '/settings.php'])]);`;

await arena(
  async (t, { alice, bob, fpm, guise }) => {
    const settings = `${bob.root}/settings.php`;
    writeAs(bob, 'settings.php', `<?php $password = '${password}';`, 0o600);
    const ask = async (side: Side, site: Site, page: string): Promise<unknown> =>
      (await get(side.apache(site), page)).json();
    const warm = async (side: Side): Promise<void> => {
      await ask(side, bob, '/application.php');
      t.same(
        await ask(side, bob, '/application.php'),
        { cached: true },
        `${side.name}: his settings are cached`,
      );
    };

    await t.test('php-fpm: she lists his scripts', async (t) => {
      await warm(fpm);
      const seen = (await ask(fpm, alice, '/opcache.php')) as OpcacheSeen;
      t.ok(seen.scripts.includes(settings));
    });

    await t.test('php-fpm: she reads what she may not read', async (t) => {
      await warm(fpm);
      const seen = await ask(fpm, alice, `/peek.php?file=${settings}`);
      t.same(seen, { uid: alice.user.uid, readable: false, password });
    });

    await t.test('php-fpm: she empties it for everybody', async (t) => {
      await warm(fpm);
      await ask(fpm, alice, `/flush.php?file=${settings}`);
      const { scripts } = await until('the cache to be empty', async () => {
        const seen = (await ask(fpm, alice, '/opcache.php')) as OpcacheSeen;
        return seen.scripts.includes(settings) ? undefined : seen;
      });
      t.notOk(scripts.includes(settings));
    });

    await t.test('guise: she sees her own scripts only', async (t) => {
      await warm(guise);
      const seen = (await ask(guise, alice, '/opcache.php')) as OpcacheSeen;
      t.ok(seen.scripts.length > 0);
      t.same(
        seen.scripts.filter((script) => !script.startsWith(alice.root)),
        [],
      );
    });

    await t.test('guise: she reads nothing', async (t) => {
      await warm(guise);
      const seen = await ask(guise, alice, `/peek.php?file=${settings}`);
      t.same(seen, { uid: alice.user.uid, readable: false, password: null });
    });

    await t.test('guise: she empties only her own', async (t) => {
      await warm(guise);
      const before = (await ask(guise, bob, '/opcache.php')) as OpcacheSeen;
      t.match(await ask(guise, alice, `/flush.php?file=${settings}`), { done: true });
      await ask(guise, alice, '/opcache.php');
      const after = (await ask(guise, bob, '/opcache.php')) as OpcacheSeen;
      t.ok(after.hits > before.hits, 'his goes on counting');
      t.ok(after.scripts.includes(settings));
    });
  },
  {
    alice: { files: { 'peek.php': peek, 'flush.php': flush } },
    bob: { files: { 'application.php': application } },
  },
);
