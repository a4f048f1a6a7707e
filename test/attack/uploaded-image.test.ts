/** A visitor uploads an image that holds PHP, and asks for it in ways that make something run it. */

import { chownSync } from 'node:fs';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { arena, forge, handOver, htaccess, refused } from './arena.js';

const image = 'GIF89a<?php echo "the image runs as ", posix_getuid();';

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    for (const name of ['img.jpg', 'img.PHP', 'img.php.jpg', 'img.phtml', 'img.php5', 'img.php.']) {
      writeAs(alice, `uploads/${name}`, image);
      chownSync(`${alice.root}/uploads/${name}`, alice.user.uid, alice.user.gid);
    }
    const pages = [
      '/uploads/img.jpg',
      '/uploads/img.jpg/x.php',
      '/uploads/img.jpg/.php',
      '/uploads/img.jpg%00.php',
      '/uploads/img.jpg%00/x.php',
      '/uploads/img.jpg%20.php',
      '/uploads/img.PHP',
      '/uploads/img.PHP/x.php',
      '/uploads/img.php.jpg',
      '/uploads/img.phtml',
      '/uploads/img.php5',
      '/uploads/img.php.',
      '/uploads/img.jpg/../img.jpg/x.php',
      '/uploads/img.jpg;x.php',
    ];

    await t.test('php-fpm: its list of suffixes is what stands between', async (t) => {
      // The web server passes everything on that ends in .php, as many tutorials say.
      htaccess(
        alice,
        ...handOver('x.php', fpm.service.listen(alice)),
        forge('SCRIPT_FILENAME', `${alice.root}/uploads/img.jpg`),
      );
      const reply = await get(fpm.apache(alice), '/x.php');
      t.match(reply.text(), `the image runs as ${alice.user.uid}`);
    });

    htaccess(alice);
    for (const web of guise.webs) {
      await t.test(`guise behind ${web.name}: the image never runs`, async (t) => {
        for (const page of pages) {
          const reply = await get(web.at(alice), page);
          t.notMatch(reply.text(), `the image runs as ${alice.user.uid}`, `${page}: ${reply.status}`);
        }
      });
    }

    const passed: readonly (readonly [string, number, string])[] = [
      ['img.jpg', 403, 'script-suffix'],
      ['img.jpg/x.php', 403, 'script-suffix'],
      ['img.PHP', 403, 'script-suffix'],
      ['img.php.jpg', 403, 'script-suffix'],
      ['img.phtml', 403, 'script-suffix'],
      ['img.php.', 403, 'script-suffix'],
    ];
    for (const [name, status, reason] of passed) {
      await t.test(`guise: passed on all the same: ${name}`, async (t) => {
        const file = `${alice.root}/uploads/${name}`;
        htaccess(alice, ...handOver('x.php', instance.socket), forge('SCRIPT_FILENAME', file));
        await refused(t, instance, await get(guise.apache(alice), '/x.php'), status, reason);
      });
    }

    await t.test('a site that lists .jpg as a suffix shows that it is the list', async (t) => {
      await instance.says('site', 'set', alice.name, '--set', 'suffixes=[".php", ".jpg"]');
      const file = `${alice.root}/uploads/img.jpg`;
      htaccess(alice, ...handOver('x.php', instance.socket), forge('SCRIPT_FILENAME', file));
      t.match((await get(guise.apache(alice), '/x.php')).text(), `the image runs as ${alice.user.uid}`);
    });
  },
  { nginx: true, pools: { lines: () => 'security.limit_extensions =' } },
);
