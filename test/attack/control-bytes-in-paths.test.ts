/**
 * NUL, CR and LF in a path: what the web server matched, what a check has seen and what the kernel opens are then three
 * different files.
 */

import { askOnce, type FcgiAnswer, paramsFor } from '../harness/fcgi-client.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { arena } from './arena.js';

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    writeAs(alice, 'img.jpg', 'GIF89a<?php echo "the image runs as ", posix_getuid();');
    const runs = `the image runs as ${alice.user.uid}`;

    await t.test('php-fpm ends a path at NUL, and its list of suffixes looks behind it', async (t) => {
      const params = { SCRIPT_FILENAME: `${alice.root}/img.jpg\0.php`, REQUEST_METHOD: 'GET' };
      const answer = await askOnce(fpm.service.listen(alice), params);
      // Debian's list refuses what it sees; what it sees is the part before NUL, so without the list the image runs.
      t.match(answer.body, runs);
    });

    const ask = async (script: string): Promise<FcgiAnswer> => {
      const SCRIPT_FILENAME = `${alice.root}${script}`;
      return askOnce(instance.socket, await paramsFor(instance, alice, '/whoami.php', { SCRIPT_FILENAME }));
    };
    const kinds = ['\0', '\r', '\n', '\r\n', '\t', '\x1b[2J', '\x7f', '\x01'];

    for (const bytes of kinds) {
      await t.test(`guise: ${JSON.stringify(bytes)} in SCRIPT_FILENAME`, async (t) => {
        const answer = await ask(`/img.jpg${bytes}.php`);
        t.equal(answer.status, 400);
        const id = /Reference: ([0-9a-f]+)/.exec(answer.body)?.[1] ?? 'none';
        t.equal((await instance.logged(new RegExp(id)))[0]?.reason, 'script-bad-path');
      });
    }

    await t.test('guise: wherever they are', async (t) => {
      for (const bytes of kinds) {
        for (const script of [`/img.jpg${bytes}/x.php`, `/${bytes}/whoami.php`, `/whoami.php${bytes}`]) {
          t.equal((await ask(script)).status, 400, JSON.stringify(script));
        }
      }
    });

    await t.test('guise: in a prefix of Apache’s, and encoded once or twice', async (t) => {
      for (const script of [
        'img.jpg%00.php',
        'img.jpg%0a.php',
        'img.jpg%2500.php',
        'img.jpg\0.php',
        '%00/whoami.php',
      ]) {
        const name = `proxy:fcgi://x${alice.root}/${script}`;
        const answer = await askOnce(
          instance.socket,
          await paramsFor(instance, alice, '/x', { SCRIPT_FILENAME: name }),
        );
        t.ok(answer.status >= 400, `${JSON.stringify(script)}: ${answer.status}`);
        t.notMatch(answer.body, runs);
      }
    });

    await t.test('guise: in the names of parameters', async (t) => {
      const params = await paramsFor(instance, alice, '/server.php', {
        'A\nB': 'x',
        'C=D': 'x',
        'E\0F': 'x',
        'G H': 'x',
        '': 'x',
      });
      const { server } = JSON.parse((await askOnce(instance.socket, params)).body) as {
        server: Record<string, string>;
      };
      const isOdd = (name: string): boolean => name === '' || Buffer.from(name).some((byte) => byte <= 0x20);
      t.same(Object.keys(server).filter(isOdd), []);
    });

    for (const web of guise.webs) {
      await t.test(`guise behind ${web.name}: no image runs, no header is forged`, async (t) => {
        for (const path of [
          '/img.jpg%00.php',
          '/img.jpg%0a.php',
          '/img.jpg%0d%0aX-Forged:%201/x.php',
          '/img.jpg/%0ax.php',
        ]) {
          const reply = await get(web.at(alice), path);
          t.notMatch(reply.text(), runs, `${path}: ${reply.status}`);
          t.equal(reply.headers['x-forged'], undefined);
        }
      });
    }
  },
  { nginx: true, pools: { lines: () => 'security.limit_extensions =' } },
);
