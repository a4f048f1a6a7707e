/** FastCGI on a TCP port of the loopback: every user of the machine can speak it, and so can any script. */

import { readFileSync } from 'node:fs';
import { freePorts } from '../../src/quickstart/ports.js';
import { processTree } from '../../src/quickstart/processes.js';
import { askOnce, paramsFor, request } from '../harness/fcgi-client.js';
import { get } from '../harness/http.js';
import { descriptors } from '../harness/proc.js';
import { arena, secret, secretFile } from './arena.js';
import type { Stolen } from './pages.js';

const ports = await freePorts(3);
const guisePort = ports[2] ?? 0;
const portOf = (name: string): number => ports[name.startsWith('alice') ? 0 : 1] ?? 0;

/** TCP sockets that listen, of both families, each with its port. */
function listeningPorts(): Map<string, number> {
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'latin1').split('\n'));
  const rows = lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === '0A');
  return new Map(
    rows.map((fields) => [`socket:[${fields[9]}]`, Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)]),
  );
}

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    await t.test('php-fpm: her script tells his pool to read his secret', async (t) => {
      const params = {
        SCRIPT_FILENAME: `${alice.root}/steal.php`,
        QUERY_STRING: `file=${secretFile(bob)}`,
        REQUEST_METHOD: 'GET',
      };
      const page = `/speak.php?to=tcp://127.0.0.1:${portOf(bob.name)}`;
      const reply = await get(fpm.apache(alice), page, { body: request(params) });
      const json = /\{.*\}/.exec(reply.text())?.[0] ?? '{}';
      t.same(JSON.parse(json) as Stolen, { uid: bob.user.uid, content: secret });
    });

    await t.test(
      'guise, told to listen on TCP: who speaks is looked up, and she is not the web server',
      async (t) => {
        const params = await paramsFor(instance, bob, '/admin.php', { REMOTE_USER: 'admin', HTTPS: 'on' });
        const asRoot = await askOnce({ host: '127.0.0.1', port: guisePort }, params);
        t.match(asRoot.body, 'the safe is open', 'the port is there, and what she says would be enough');
        const page = `/speak.php?to=tcp://127.0.0.1:${guisePort}`;
        const reply = await get(guise.apache(alice), page, { body: request(params) });
        t.notMatch(reply.text(), 'uid');
        const [line] = await instance.logged(/not a web server/);
        t.equal(line?.uid, alice.user.uid, 'the log says who it was');
      },
    );

    await t.test('guise listens nowhere else', async (t) => {
      const open = processTree(instance.pid).flatMap(({ entry }) => descriptors(entry.pid));
      const listening = listeningPorts();
      const mine = [...new Set(open)].map((what) => listening.get(what)).filter((port) => port !== undefined);
      t.same(mine, [guisePort]);
    });
  },
  {
    toml: { router: `listen = ["127.0.0.1:${guisePort}"]` },
    pools: { listen: (site) => `127.0.0.1:${portOf(site.name)}` },
  },
);
