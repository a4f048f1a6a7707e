import t from 'tap';
import { mayControl, peerOf } from '../../src/control/peer.js';
import { userByName } from '../../src/os/identity.js';
import { close, streamPair } from '../../src/os/socket.js';

t.test('root and the group, and nobody else', async (t) => {
  const games = { pid: 1, uid: 5, gid: 60 };
  t.ok(mayControl({ pid: 1, uid: 0, gid: 0 }, undefined));
  t.notOk(mayControl(games, undefined));
  t.notOk(mayControl(games, 'mail'));
  t.ok(mayControl(games, 'games'), 'by the primary group');
  t.ok(mayControl({ pid: 1, uid: 5, gid: 12_345 }, 'games'), 'by the user database');
  t.notOk(mayControl({ pid: 1, uid: 4_000_000, gid: 4_000_000 }, 'games'), 'an unknown user');
  t.notOk(mayControl(games, 'no-such-group'), 'a group that is gone lets nobody in');
  t.equal(userByName('games')?.gid, 60, 'as every Debian has it');
});

t.test('the kernel says who the peer is', async (t) => {
  const [one, other] = streamPair();
  t.match(peerOf(one), { pid: process.pid, uid: 0 });
  close(one);
  close(other);
  t.equal(peerOf(-1), undefined);
});
