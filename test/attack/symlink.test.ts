/**
 * A symbolic link in the attacker's document root. The web server itself reads static files for everybody, and PHP
 * runs what a link leads to: both must see whose file it is. And a link that changes between check and use.
 */

import { chmodSync, chownSync, lchownSync, renameSync, symlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { writeAs } from '../harness/guise.js';
import { get, type Reply } from '../harness/http.js';
import { arena, refused, secret, secretFile } from './arena.js';

/** How long the file is swapped, and how many visitors come meanwhile. */
const visits = 150;

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    // His configuration is readable for the web server's group, as applications recommend.
    const config = `${bob.root}/config.php`;
    writeAs(bob, 'config.php', `<?php /* ${secret} */ echo 'config as ', posix_getuid();`);
    chownSync(config, bob.user.uid, 33);
    chmodSync(config, 0o640);
    const link = (target: string, name: string): void => {
      symlinkSync(target, `${alice.root}/${name}`);
      lchownSync(`${alice.root}/${name}`, alice.user.uid, alice.user.gid);
    };
    link(config, 'config.txt');
    link(bob.root, 'neighbour');
    link(`${bob.root}/whoami.php`, 'his.php');
    link('releases/7', 'current');
    writeAs(alice, 'releases/7/page.php', '<?php echo __FILE__;');

    await t.test('php-fpm: the web server shows the source of his configuration', async (t) => {
      for (const web of fpm.webs) {
        const reply = await get(web.at(alice), '/config.txt');
        t.match(reply.text(), secret, web.name);
      }
    });

    await t.test('php-fpm: his script runs as hers', async (t) => {
      t.match((await get(fpm.apache(alice), '/his.php')).json(), { uid: alice.user.uid });
    });

    await t.test('guise: the configuration that it prints lets no link out', async (t) => {
      for (const web of guise.webs) {
        for (const page of ['/config.txt', '/neighbour/config.txt', '/neighbour/style.css']) {
          const reply = await get(web.at(alice), page);
          t.ok([403, 404].includes(reply.status), `${web.name}: ${page} is ${reply.status}`);
          t.notMatch(reply.text(), secret);
        }
      }
    });

    await t.test(
      'guise: a link to his script is refused by the web server, and behind it by guise',
      async (t) => {
        for (const web of guise.webs) {
          for (const page of ['/his.php', '/neighbour/whoami.php']) {
            const reply = await get(web.at(alice), page);
            t.ok([403, 404].includes(reply.status), `${web.name}: ${page} is ${reply.status}`);
          }
        }
        // Her own .htaccess loosens the web server's rule where the provider allows it.
        writeAs(alice, '.htaccess', 'Options FollowSymLinks\n');
        for (const page of ['/his.php', '/neighbour/whoami.php']) {
          await refused(t, instance, await get(guise.apache(alice), page), 403, 'script-outside-root');
        }
      },
    );

    await t.test('guise: a link within the site works', async (t) => {
      const reply = await get(guise.apache(alice), '/current/page.php');
      t.equal(reply.text(), `${alice.root}/releases/7/page.php`);
    });

    await t.test('guise: swapped between check and use, it still runs as her', async (t) => {
      const flip = `${alice.root}/flip.php`;
      writeAs(alice, 'good.php', '<?php echo "mine as ", posix_getuid();');
      const aims = [`${alice.root}/good.php`, config, secretFile(bob), `${bob.root}/admin.php`];
      const swapping = new AbortController();
      let swaps = 0;
      const swapper = (async () => {
        while (!swapping.signal.aborted) {
          link(aims[swaps % aims.length] ?? '', `flip.${swaps}`);
          renameSync(`${alice.root}/flip.${swaps}`, flip);
          swaps += 1;
          await delay(1);
        }
      })();
      const replies: Reply[] = [];
      const hasSeen = (isHers: boolean): boolean => replies.some(({ status }) => (status === 200) === isHers);
      // Visits and swaps may keep step for a while.
      while (
        replies.length < visits ||
        (replies.length < 50 * visits && !(hasSeen(true) && hasSeen(false)))
      ) {
        const ten = Array.from({ length: 10 }, () => get(guise.apache(alice), '/flip.php'));
        replies.push(...(await Promise.all(ten)));
      }
      swapping.abort();
      await swapper;
      t.ok(swaps > visits / 5, `${swaps} swaps`);
      t.ok(hasSeen(true), 'sometimes it was her own');
      t.ok(hasSeen(false), 'sometimes it was not');
      for (const reply of replies) {
        t.notMatch(reply.text(), secret);
        t.notMatch(reply.text(), new RegExp(`\\b${bob.user.uid}\\b`), 'nothing ran as him');
      }
    });
  },
  { nginx: true },
);
