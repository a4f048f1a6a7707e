/** Connections as the kernel lists them, at real sockets. */

import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { accept, close, listenUnix } from '../../src/os/socket.js';
import { connectionsAt, connectionsIn } from '../../src/os/unix-sockets.js';
import { until } from '../../src/quickstart/until.js';

const directory = mkdtempSync('/tmp/guise-t-sockets-');
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

t.test('waiting, open, closed', async (t) => {
  const path = `${directory}/bound`;
  const listener = listenUnix(path, 16);
  t.teardown(() => close(listener));
  renameSync(path, `${directory}/other`);
  t.same(connectionsAt(path), { waiting: 0, open: 0 });
  const peers = Array.from({ length: 3 }, () => connect(`${directory}/other`));
  t.teardown(() => peers.map((peer) => peer.destroy()));
  await until('three to wait', () => connectionsAt(path).waiting === 3);
  const accepted = accept(listener).fd;
  t.same(connectionsAt(path), { waiting: 2, open: 1 });
  peers[0]?.destroy();
  t.equal(connectionsAt(path).open, 1, 'whoever accepted it has it still');
  close(accepted);
  t.same(connectionsAt(path), { waiting: 2, open: 0 });
  t.same(connectionsAt(`${directory}/other`), { waiting: 0, open: 0 }, 'by the name that it was bound by');
});

t.test('the listening socket, other types, other paths and clients are not counted', async (t) => {
  const row = (type: string, state: string, inode: string, path: string): string =>
    `00000000772872d2: 00000003 00000000 00000000 ${type} ${state} ${inode} ${path}`;
  const list = [
    row('0001', '01', '   77', '/run/a'),
    row('0001', '03', '   78', '/run/a'),
    row('0001', '02', '    0', '/run/a'),
    row('0001', '02', '    9', '/run/a'),
    row('0005', '03', '   79', '/run/a'),
    row('0001', '03', '   80', '/run/ab'),
    row('0001', '03', '   81', 'x/run/a'),
    '/run/a',
  ].join('\n');
  t.same(connectionsIn(list, '/run/a'), { waiting: 1, open: 1 });
});
