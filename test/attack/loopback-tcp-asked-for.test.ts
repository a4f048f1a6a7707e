/**
 * guise with loopback TCP switched on: any user of the machine can connect. He may know everything, the victim's key
 * too; his uid gives him away, and a connection whose owner cannot be told is nobody's.
 */

import { existsSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { freePorts } from '../../src/quickstart/ports.js';
import { until } from '../../src/quickstart/until.js';
import { paramsFor, request } from '../harness/fcgi-client.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { arena, forge, htaccess, refused } from './arena.js';

const [port = 0] = await freePorts(1);
const hosts = ['127.0.0.1', '::1', '::ffff:127.0.0.1'] as const;

/** Sends what it reads in base64 to an address, and prints what comes back. */
const speaker = `
const [port, host] = process.argv.slice(1);
const socket = require('node:net').connect(Number(port), host);
let text = '';
socket.on('error', () => process.exit(1)).pipe(process.stdout);
process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => {
  socket.write(Buffer.from(text, 'base64'));
});`;

await arena(
  async (t, { instance, alice, bob, guise }) => {
    const mark = `${bob.root}/ran.txt`;
    writeAs(bob, 'mark.php', `<?php touch('${mark}'); echo 'ran as ', posix_getuid();`);
    const bytesFor = async (more = {}): Promise<string> =>
      request({ ...(await paramsFor(instance, bob, '/mark.php')), ...more }).toString('base64');
    const speak = async (user: string, host: string): Promise<string> => {
      const words = ['-u', user, '--', process.execPath, '-e', speaker, String(port), host];
      return (await finish('runuser', words, await bytesFor())).stdout;
    };

    await t.test('the web server is answered', async (t) => {
      for (const host of hosts) t.match(await speak('www-data', host), `ran as ${bob.user.uid}`, host);
      t.ok(existsSync(mark));
    });

    await t.test('another user is not, whatever he knows', async (t) => {
      await finish('rm', [mark]);
      for (const host of hosts) t.equal(await speak(alice.user.name, host), '', host);
      t.equal(await speak(bob.user.name, '127.0.0.1'), '', 'not even the owner of the site');
      t.equal(await speak('nobody', '127.0.0.1'), '');
      const lines = await instance.logged(/not a web server/);
      t.ok(
        lines.some(({ uid }) => uid === alice.user.uid),
        'the log names his uid',
      );
      t.notOk(existsSync(mark), 'and nothing ran');
    });

    await t.test('nor is a script of his', async (t) => {
      const body = Buffer.from(await bytesFor(), 'base64');
      const reply = await get(guise.apache(alice), `/speak.php?to=tcp://127.0.0.1:${port}`, { body });
      t.equal(reply.text(), '');
      t.equal(reply.status, 200);
      t.notOk(existsSync(mark));
    });

    // The kernel calls what nobody holds any more root's, and in this test root may connect.
    await t.test('one who leaves before he is looked at is not taken for root', async (t) => {
      const router = await instance.routerPid();
      const turnedAway = () =>
        instance.log().filter(({ msg }) => msg === 'connection refused: not a web server');
      for (const leaves of ['end', 'destroy', 'resetAndDestroy']) {
        const before = turnedAway().length;
        process.kill(router, 'SIGSTOP');
        await finish('runuser', [
          ...['-u', alice.user.name, '--', process.execPath, '-e'],
          `const socket = require('node:net').connect(${port}, '127.0.0.1', () => {
             socket.write(Buffer.from('${await bytesFor()}', 'base64'), () => socket.${leaves}());
             setTimeout(() => process.exit(), 100);
           });`,
        ]);
        process.kill(router, 'SIGCONT');
        await until(`the router to turn him away (${leaves})`, () => turnedAway().length > before);
        t.notOk(
          turnedAway().some(({ uid }) => uid === 0),
          leaves,
        );
        t.match(
          (await get(guise.apache(alice), '/whoami.php')).json(),
          { uid: alice.user.uid },
          'it goes on',
        );
        t.notOk(existsSync(mark), leaves);
      }
    });

    await t.test('through Apache he comes as the web server, and needs a key', async (t) => {
      const target = `fcgi://127.0.0.1:${port}`;
      const handOver = ['RewriteEngine On', `RewriteRule ^whoami.php$ ${target}%{REQUEST_FILENAME} [P]`];
      const withoutKey = 'ProxyFCGISetEnvIf "true" !GUISE_KEY';
      const hisScript = forge('SCRIPT_FILENAME', `${bob.root}/mark.php`);
      htaccess(alice, ...handOver, withoutKey, forge('GUISE_SITE', bob.name), hisScript);
      await refused(t, instance, await get(guise.apache(alice), '/whoami.php'), 403, 'no-key');
      await instance.says('site', 'set', bob.name, '--set', 'key_required=false');
      await refused(t, instance, await get(guise.apache(alice), '/whoami.php'), 403, 'no-key');
      htaccess(alice, ...handOver, withoutKey, forge('GUISE_KEY', 'ab'.repeat(32)), hisScript);
      await refused(t, instance, await get(guise.apache(alice), '/whoami.php'), 403, 'wrong-key');
      htaccess(alice, ...handOver, hisScript);
      await refused(t, instance, await get(guise.apache(alice), '/whoami.php'), 403, 'script-outside-root');
      t.notOk(existsSync(mark));
      htaccess(alice);
    });
  },
  { toml: { router: `listen = ["127.0.0.1:${port}", "[::1]:${port}"]` } },
);
