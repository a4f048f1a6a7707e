/** FastCGI on a TCP port of the loopback: every user of the machine can speak it, and so can any script. */

import { readFileSync } from 'node:fs';
import { freePorts } from '../../src/quickstart/ports.js';
import { processTree } from '../../src/quickstart/processes.js';
import { request } from '../harness/fcgi-client.js';
import { get } from '../harness/http.js';
import { descriptors } from '../harness/proc.js';
import { arena, secret, secretFile } from './arena.js';
import type { Stolen } from './pages.js';

const ports = await freePorts(2);
const portOf = (name: string): number => ports[name.startsWith('alice') ? 0 : 1] ?? 0;

/** Inodes of the TCP sockets that listen, of both families. */
function listening(): Set<string> {
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'latin1').split('\n'));
  const rows = lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === '0A');
  return new Set(rows.map((fields) => `socket:[${fields[9]}]`));
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

    await t.test('guise listens on no port', async (t) => {
      await get(guise.apache(bob), '/index.php');
      const ports = listening();
      const mine = processTree(instance.pid).map(({ entry }) => entry);
      t.ok(mine.length >= 4, `${mine.length} processes of guise`);
      const open = mine.flatMap(({ pid }) => descriptors(pid));
      t.same(
        open.filter((what) => ports.has(what)),
        [],
      );
      t.ok(
        open.some((what) => what.startsWith('socket:')),
        'though it has sockets',
      );
    });
  },
  { pools: { listen: (site) => `127.0.0.1:${portOf(site.name)}` } },
);
