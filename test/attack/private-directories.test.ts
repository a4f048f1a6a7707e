/**
 * /tmp belongs to everybody. An application that keeps its cache there runs what a neighbour has put in its place;
 * uploads and sessions of one lie beside those of the other.
 */

import { readdirSync, statSync } from 'node:fs';
import { get } from '../harness/http.js';
import { arena, type Side } from './arena.js';

const name = `guise-attack-${process.pid}`;

/** An application with a cache of code in the temporary directory. */
const application = `<?php
$cache = (isset($_GET['literal']) ? '/tmp' : sys_get_temp_dir()) . '/${name}.php';
if (!file_exists($cache)) @file_put_contents($cache, '<?php echo "honest";');
@include $cache;`;

/** Puts code where a neighbour's application will look for it: in every temporary directory that there is. */
const plant = `<?php
$planted = [];
foreach (explode(',', $_GET['in'] . ',' . sys_get_temp_dir()) as $directory) {
    $file = "$directory/${name}.php";
    if (@file_put_contents($file, '<?php echo "planted, runs as ", posix_getuid();') !== false) {
        chmod($file, 0644);
        $planted[] = $directory;
    }
}
echo json_encode($planted);`;

const remove = `<?php foreach (explode(',', $_GET['in']) as $directory) @unlink("$directory/${name}.php");`;

/** What can be seen of other people's temporary files. */
const look = `<?php
$seen = [];
foreach (explode(',', $_GET['in']) as $directory) $seen[$directory] = @scandir($directory);
echo json_encode($seen);`;

/** Says where a visitor's data lies while the script runs. */
const visitor = `<?php
session_start();
$_SESSION['name'] = 'bob';
if (isset($_GET['end'])) session_destroy(); else session_write_close();
echo json_encode(['upload' => $_FILES['file']['tmp_name'] ?? null, 'session' => session_save_path(), 'temporary' => sys_get_temp_dir()]);`;

interface Places {
  readonly upload: string;
  readonly session: string;
  readonly temporary: string;
}

const form = [
  '--b',
  'Content-Disposition: form-data; name="file"; filename="f.txt"',
  'Content-Type: text/plain',
  '',
  'private',
  '--b--',
  '',
].join('\r\n');

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const places = async (side: Side, page = '/visitor.php'): Promise<Places> => {
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      return (await get(side.apache(bob), page, { body: form, headers })).json() as Places;
    };
    const everywhere = `/tmp,/var/tmp,/dev/shm,${(await places(guise)).temporary}`;
    const cleaned = async (side: Side): Promise<void> => {
      for (const site of [alice, bob]) await get(side.apache(site), `/remove.php?in=${everywhere}`);
    };

    await t.test('php-fpm: her code runs as him', async (t) => {
      await get(fpm.apache(alice), `/plant.php?in=${everywhere}`);
      t.equal((await get(fpm.apache(bob), '/application.php')).text(), `planted, runs as ${bob.user.uid}`);
      await cleaned(fpm);
    });

    await t.test('php-fpm: uploads and sessions lie in directories of everybody', async (t) => {
      const { upload, session } = await places(fpm, '/visitor.php?end');
      t.match(upload, /^\/tmp\//);
      t.equal(session || '/var/lib/php/sessions', '/var/lib/php/sessions');
    });

    await t.test('php-fpm and /tmp by its name: the same', async (t) => {
      await get(fpm.apache(alice), `/plant.php?in=${everywhere}`);
      t.match((await get(fpm.apache(bob), '/application.php?literal')).text(), 'planted');
    });

    await t.test('guise and /tmp by its name: nothing of it can be reached', async (t) => {
      // What she planted through php-fpm lies there still.
      t.notMatch((await get(guise.apache(bob), '/application.php?literal')).text(), /^planted/);
      const planted = (await get(guise.apache(alice), `/plant.php?in=${everywhere}`)).json() as string[];
      t.notOk(planted.includes('/tmp'));
      await cleaned(fpm);
    });

    await t.test('guise: her code stays hers', async (t) => {
      const planted = (await get(guise.apache(alice), `/plant.php?in=${everywhere}`)).json() as string[];
      t.ok(
        planted.some((directory) => directory.startsWith(instance.instance.state)),
        'she has a place of her own',
      );
      t.notOk(planted.includes((await places(guise)).temporary), 'and cannot write to his');
      t.equal((await get(guise.apache(bob), '/application.php')).text(), 'honest');
      await cleaned(guise);
    });

    await t.test('guise: his temporary files, uploads and sessions are his', async (t) => {
      const { upload, session, temporary } = await places(guise);
      t.ok(upload.startsWith(`${temporary}/`), upload);
      for (const directory of [temporary, session]) {
        const { uid, mode } = statSync(directory);
        t.same({ uid, mode: mode & 0o777 }, { uid: bob.user.uid, mode: 0o700 }, directory);
      }
      t.ok(readdirSync(session).length > 0, 'there is a session');
      const reply = await get(guise.apache(alice), `/look.php?in=${temporary},${session}`);
      t.same(reply.json(), { [temporary]: false, [session]: false }, 'she sees none of it');
    });
  },
  {
    alice: { files: { 'plant.php': plant, 'remove.php': remove, 'look.php': look } },
    bob: { files: { 'application.php': application, 'remove.php': remove, 'visitor.php': visitor } },
  },
);
