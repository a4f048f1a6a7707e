import { chmodSync, statSync } from 'node:fs';
import t from 'tap';
import { type FakeDaemon, runAs, startFakeDaemon } from './daemon.js';

/** What comes back when a user connects and asks for a ping. */
function askAs(uid: number, gid: number, daemon: FakeDaemon): Promise<string> {
  return runAs(
    uid,
    gid,
    `const socket = require('node:net').connect(${JSON.stringify(daemon.socket)});
     socket.on('data', (chunk) => process.stdout.write(chunk));
     socket.on('error', (error) => { process.stdout.write(error.code); });
     socket.end('GET /ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');`,
  );
}

t.test("who may connect is decided by the kernel's word", async (t) => {
  const daemon = startFakeDaemon(t, '[control]\ngroup = "games"\n');
  t.match(statSync(daemon.socket), { gid: 60, mode: 0o140660 });
  t.match(await askAs(0, 0, daemon), /200 OK/, 'root may');
  t.match(await askAs(8, 60, daemon), /200 OK/, 'a member of the group may');
  t.match(await askAs(8, 8, daemon), 'EACCES', "the socket's mode keeps others out");
  // Even where somebody opened the mode.
  chmodSync(daemon.socket, 0o666);
  const answer = await askAs(8, 8, daemon);
  t.match(answer, /^HTTP\/1.1 403 /);
  t.match(answer, /only root and members of the group games/);
  t.match(daemon.problems, [{ code: 'NOT_PERMITTED', message: /^uid 8 / }]);
});

t.test('without a group only root may', async (t) => {
  const daemon = startFakeDaemon(t);
  t.equal(statSync(daemon.socket).mode, 0o140600);
  chmodSync(daemon.socket, 0o666);
  t.match(await askAs(5, 60, daemon), /403 .*only root may speak/s);
});
