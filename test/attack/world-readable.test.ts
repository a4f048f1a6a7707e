/**
 * Files whose modes are open to everybody, as applications install them: his settings with the password of his database,
 * readable for her, and an upload directory that he made writable for all.
 */

import { chmodSync, existsSync } from 'node:fs';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { arena } from './arena.js';
import type { Stolen } from './pages.js';

const write = `<?php echo json_encode(@file_put_contents($_GET['file'], '<?php echo "hers";'));`;
/** By a program that a script starts, and over a link. */
const cat = `<?php @symlink($_GET['file'], __DIR__ . '/link');
echo json_encode([shell_exec('cat ' . escapeshellarg($_GET['file']) . ' 2>&1'), @file_get_contents(__DIR__ . '/link')]);
unlink(__DIR__ . '/link');`;

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const password = '<?php $password = "of bob";';
    writeAs(bob, 'settings.php', password);
    writeAs(bob, 'uploads/readme.txt', 'everybody writes here');
    chmodSync(`${bob.root}/uploads`, 0o777);
    const settings = `${bob.root}/settings.php`;
    const planted = `${bob.root}/uploads/planted.php`;
    const works = async (side: typeof guise): Promise<void> => {
      const seen = (await get(side.apache(alice), `/steal.php?file=${settings}`)).json() as Stolen;
      t.same(seen, { uid: alice.user.uid, content: password }, `${side.name}: she reads it`);
      t.not((await get(side.apache(alice), `/write.php?file=${planted}`)).json(), false, 'and writes');
      t.ok(existsSync(planted));
    };

    await t.test('php-fpm: what modes allow, everybody may', async () => works(fpm));

    await t.test('php-fpm: what she planted runs as him', async (t) => {
      t.equal((await get(fpm.apache(bob), '/uploads/planted.php')).text(), 'hers');
    });

    await t.test('guise: she reads nothing of his', async (t) => {
      const seen = (await get(guise.apache(alice), `/steal.php?file=${settings}`)).json() as Stolen;
      t.same(seen, { uid: alice.user.uid, content: false });
      const [program, link] = (
        await get(guise.apache(alice), `/cat.php?file=${settings}`)
      ).json() as string[];
      t.notMatch(program, 'password');
      t.match(program, 'Permission denied', 'nor does a program that she starts');
      t.equal(link, false, 'nor over a link');
      const list = (await get(guise.apache(alice), `/cat.php?file=${bob.root}`)).json() as string[];
      t.match(list[0], 'Permission denied');
    });

    await t.test('guise: she writes nothing of his', async (t) => {
      const other = `${bob.root}/uploads/other.php`;
      t.equal((await get(guise.apache(alice), `/write.php?file=${other}`)).json(), false);
      t.notOk(existsSync(other));
    });

    await t.test('guise: what she planted elsewhere does not run: it is not his', async (t) => {
      const reply = await get(guise.apache(bob), '/uploads/planted.php');
      t.equal(reply.status, 403);
    });

    await t.test('without the defence modes decide here too', async () => {
      await instance.says('site', 'set', alice.name, '--set', 'confine=off');
      await works(guise);
    });
  },
  { alice: { files: { 'write.php': write, 'cat.php': cat } } },
);
