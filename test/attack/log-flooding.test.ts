/**
 * A visitor, or a tenant, makes the machine write: a line for each of very many refused requests, and whatever a script
 * says to the error log. The disk of all is full before anybody looks.
 */

import { statSync } from 'node:fs';
import { get, type Reply } from '../harness/http.js';
import { handOver, htaccess, arena as inArena, type Side } from './arena.js';

const visits = 400;
const kilobytes = 500;

const chatter = `<?php
for ($i = 0; $i < ${kilobytes}; $i++) error_log(str_repeat('x', 1000));
echo 'said';`;

await inArena(
  async (t, arena) => {
    const { instance, alice, bob, fpm, guise } = arena;
    const apacheLog = (): string => arena.apacheLog();
    const flood = async (page: string, side: Side): Promise<Reply[]> => {
      const replies: Reply[] = [];
      for (let n = 0; n < visits; n += 20) {
        replies.push(...(await Promise.all(Array.from({ length: 20 }, () => get(side.apache(alice), page)))));
      }
      return replies;
    };
    const refusals = (): number => instance.log().filter((line) => line.msg === 'request refused').length;
    const pieces = (): number => apacheLog().split('AH01071').length - 1;

    await t.test('php-fpm: a line for each visitor', async (t) => {
      const before = pieces();
      await flood('/missing.php', fpm);
      t.ok(pieces() - before >= visits);
    });

    await t.test('guise: some of many, and how many are left out', async (t) => {
      htaccess(alice, ...handOver('missing.php', instance.socket));
      const before = refusals();
      const started = performance.now();
      const replies = await flood('/missing.php', guise);
      const seconds = Math.ceil((performance.now() - started) / 1000) + 1;
      t.same([...new Set(replies.map((reply) => reply.status))], [404]);
      const written = refusals() - before;
      t.ok(written > 0 && written <= 50 * seconds, `${written} lines in ${seconds} s`);
    });

    await t.test('guise: nor for bytes that are no FastCGI', async (t) => {
      // mod_proxy_http says HTTP to the FastCGI socket, at the tenant's word.
      htaccess(alice, 'RewriteEngine On', `RewriteRule ^http$ unix:${instance.socket}|http://x/ [P]`);
      const count = (): number => instance.log().filter((line) => /not FastCGI/.test(line.msg)).length;
      const started = performance.now();
      await flood('/http', guise);
      const seconds = Math.ceil((performance.now() - started) / 1000) + 1;
      t.ok(count() > 0 && count() <= 50 * seconds, `${count()} lines in ${seconds} s`);
      htaccess(alice);
    });

    await t.test('php-fpm: what a script says fills the log of the web server', async (t) => {
      const before = apacheLog().length;
      t.equal((await get(fpm.apache(alice), '/chatter.php')).text(), 'said');
      t.ok(apacheLog().length - before > kilobytes * 1000);
    });

    await t.test('guise: it is in a file of the site’s own, which its user can be billed for', async (t) => {
      const before = apacheLog().length;
      t.equal((await get(guise.apache(alice), '/chatter.php')).text(), 'said');
      t.ok(apacheLog().length - before < 1000, 'the web server’s log does not grow');
      const { size, uid } = statSync(`${instance.instance.log}/sites/${alice.name}/php.log`);
      t.ok(size >= kilobytes * 1000);
      t.equal(uid, alice.user.uid);
    });

    await t.test('guise: another site’s refusals are still told', async (t) => {
      htaccess(alice, ...handOver('missing.php', instance.socket));
      htaccess(bob, ...handOver('gone.php', instance.socket));
      const noise = flood('/missing.php', guise);
      for (let n = 0; n < 5; n += 1) await get(guise.apache(bob), '/gone.php');
      await noise;
      const his = instance
        .log()
        .filter((line) => line.site === bob.name && line.reason === 'script-not-found');
      t.equal(his.length, 5, 'her flood does not hide what happens to him');
    });
  },
  { alice: { files: { 'chatter.php': chatter } } },
);
