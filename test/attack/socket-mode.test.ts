/** A socket that everybody may connect to, as when its mode is 0666: a script of alice's speaks FastCGI itself. */

import { chmodSync, readFileSync, statSync } from 'node:fs';
import { processTree } from '../../src/quickstart/processes.js';
import { request } from '../harness/fcgi-client.js';
import { get, type Reply } from '../harness/http.js';
import { descriptors } from '../harness/proc.js';
import { arena } from './arena.js';

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const params = {
      SCRIPT_FILENAME: `${bob.root}/admin.php`,
      REQUEST_METHOD: 'GET',
      REMOTE_USER: 'admin',
      HTTPS: 'on',
      GUISE_KEY: instance.keyOf(bob.name) ?? '',
    };
    const speak = (socket: string): Promise<Reply> =>
      get(guise.apache(alice), `/speak.php?to=unix://${socket}`, { body: request(params) });

    await t.test('php-fpm: opened to everybody, it answers everybody', async (t) => {
      const socket = fpm.service.listen(bob);
      t.match((await speak(socket)).text(), /cannot connect/, 'Debian’s mode 0660 keeps her out');
      chmodSync(socket, 0o666);
      const reply = await get(fpm.apache(alice), `/speak.php?to=unix://${socket}`, { body: request(params) });
      t.match(reply.text(), `uid ${bob.user.uid}, logged in: admin, connection: encrypted, the safe is open`);
    });

    const own = `${instance.instance.run}/sites/${bob.name}.sock`;
    for (const socket of [instance.socket, own]) {
      await t.test(
        `guise: ${socket === own ? 'his own' : 'the shared'} socket, even with his key`,
        async (t) => {
          chmodSync(socket, 0o666);
          const reply = await speak(socket);
          t.notMatch(reply.text(), 'uid');
          const [line] = await instance.logged(/not a web server/);
          t.equal(line?.uid, alice.user.uid, 'and the log says who it was');
        },
      );
    }

    await t.test('guise listens on no port, unless it is told to', async (t) => {
      const tcp = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/net/${name}`, 'latin1')).join('\n');
      const inodes = tcp.split('\n').map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`);
      const open = processTree(instance.pid).flatMap(({ entry }) => descriptors(entry.pid));
      t.ok(open.some((what) => what.startsWith('socket:')));
      t.same(
        open.filter((what) => inodes.includes(what)),
        [],
      );
    });

    await t.test('guise: for one web server its sockets are nobody else’s to begin with', async (t) => {
      const { mode } = statSync(instance.instance.run);
      t.equal(mode & 0o022, 0, 'nobody else can put a socket in their place');
    });
  },
  { bob: { args: ['--set', 'socket=own'] } },
);
