/** A site with a socket of its own, configured as `guise web` prints it; and who may connect to any socket at all. */

import { existsSync, statSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { apacheFor } from '../harness/apache.js';
import { askOnce, paramsFor, request } from '../harness/fcgi-client.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

/** Sends what it reads in base64 to the socket that it is given, and prints what comes back. */
const speaker = `
const socket = require('node:net').connect(process.argv[1]);
socket.on('error', () => process.exit(1)).pipe(process.stdout);
let text = '';
process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => socket.write(Buffer.from(text, 'base64')));`;

await journey(async (t, world) => {
  const { guise } = world;
  const own = ['--set', 'socket=own'];
  const sites = [
    await guise.addSite({ name: 'own-a.test', user: 'alice', args: own }),
    await guise.addSite({ name: 'own-b.test', user: 'bob', args: [...own, '--mode', 'per-request'] }),
  ];
  const shared = await guise.addSite({ name: 'shared.test', user: 'carol' });
  const servers = [await apacheFor(world, [...sites, shared]), await nginxFor(world, [...sites, shared])];
  const socketOf = (name: string): string => `${guise.instance.run}/sites/${name}.sock`;

  await t.test('requests arrive through it', async (t) => {
    for (const server of servers) {
      for (const site of [...sites, shared]) {
        for (let n = 0; n < 5; n += 1) {
          t.equal(((await get(server.at(site), '/whoami.php')).json() as Whoami).uid, site.user.uid);
        }
      }
    }
    for (const site of sites) t.ok(statSync(socketOf(site.name)).isSocket());
    t.notOk(existsSync(socketOf(shared.name)));
  });

  await t.test('on it only that site is served, and only with its key', async (t) => {
    const [first, second] = sites as [(typeof sites)[0], (typeof sites)[0]];
    const good = await paramsFor(guise, first, '/whoami.php');
    t.equal((await askOnce(socketOf(first.name), good)).status, 200);
    t.equal((await askOnce(socketOf(second.name), good)).status, 403, 'another socket');
    const without = { ...good, GUISE_KEY: '' };
    t.equal((await askOnce(socketOf(first.name), without)).status, 403, 'no key');
    t.equal(
      (await askOnce(socketOf(first.name), { ...good, GUISE_KEY: 'f'.repeat(64) })).status,
      403,
      'another key',
    );
  });

  await t.test('only the web server may speak on any of them', async (t) => {
    for (const [socket, site] of [
      [guise.socket, shared],
      [socketOf('own-a.test'), sites[0] as Site],
    ] as const) {
      const bytes = request(await paramsFor(guise, site, '/whoami.php')).toString('base64');
      const speak = (user: string) =>
        finish('runuser', ['-u', user, '--', process.execPath, '-e', speaker, socket], bytes);
      t.match((await speak('www-data')).stdout, `"uid":${site.user.uid}`, 'the web server is answered');
      const stranger = await speak(shared.user.name);
      t.equal(stranger.stdout, '', 'a tenant who knows the key is not');
    }
  });

  await t.test('its socket goes with the site', async (t) => {
    await guise.says('site', 'remove', 'own-a.test');
    t.notOk(existsSync(socketOf('own-a.test')));
    t.ok(existsSync(socketOf('own-b.test')));
  });
});
