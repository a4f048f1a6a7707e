/**
 * The status of all sites, through the web server: alice's .htaccess hands one of her addresses to the socket of the status
 * application, and says that it was the status page that was asked for.
 */

import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { RecordType } from '../../src/fastcgi/constants.js';
import { encodeStreamEnd } from '../../src/fastcgi/encode.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { arena, forge, handOver, htaccess } from './arena.js';

const endOfParameters = encodeStreamEnd(RecordType.PARAMS, 1).toString('latin1');

await arena(async (t, { world, instance, alice, bob, guise }) => {
  const socket = `${instance.instance.run}/status.sock`;
  const at = guise.apache(alice);
  const shows = async (): Promise<boolean> => (await get(at, '/steal.php')).text().includes(bob.name);

  await t.test('as he is shown where nothing is asked of the web server', async (t) => {
    t.match(await instance.says('status'), bob.name);
  });

  for (const uri of ['/guise-status/sites', '/guise-status?json&full', '/guise-status/metrics']) {
    await t.test(`her address for ${uri}`, async (t) => {
      htaccess(alice, ...handOver('steal.php', socket), forge('REQUEST_URI', uri));
      t.notOk(await shows(), 'nothing of him');
      t.equal((await get(at, '/steal.php')).status, 403);
      for (const key of ['', 'ab'.repeat(32)]) {
        htaccess(
          alice,
          ...handOver('steal.php', socket),
          forge('REQUEST_URI', uri),
          forge('GUISE_STATUS_KEY', key),
        );
        t.equal((await get(at, '/steal.php')).status, 403, 'a key that she made up');
      }
    });
  }
  await t.test('the key does not come to her', async (t) => {
    const printed = await instance.says('web', 'apache', '--status');
    const key = readText(`${instance.instance.state}/status.key`).trim();
    const open = `<Directory "${alice.root}">\nAllowOverride All\nRequire all granted\n</Directory>`;
    const more = { modules: ['authz_host', 'rewrite'], before: `${printed}\n${open}` };
    const everywhere = (await apacheFor(world, [alice], more)).at(alice);
    const trap = `${world.directory}/trap.sock`;
    let caught = '';
    const server = createServer((socket) => {
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        caught += bytes.toString('latin1');
        // Apache writes a request in several pieces.
        if (text.includes(endOfParameters)) socket.destroy();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(trap, resolve);
    });
    chmodSync(trap, 0o777);
    const set = forge('GUISE_CAUGHT', '%{reqenv:GUISE_STATUS_KEY}');
    htaccess(alice, ...handOver('steal.php', trap), ...handOver('guise-status.*', trap), set);
    await get(everywhere, '/steal.php');
    t.match(caught, 'steal.php', 'what she hands over arrives');
    for (const path of ['/guise-status', '/guise-status/sites', '/ping']) await get(everywhere, path);
    t.notMatch(caught, key);
    t.match((await get(everywhere, '/ping')).text(), 'pong', 'and the administrator is shown it');
    await new Promise((resolve) => server.close(resolve));
  });
  htaccess(alice);
});
