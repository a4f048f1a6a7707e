import t from 'tap';
import { peerOf } from '../../src/control/peer.js';
import { close, streamPair } from '../../src/os/socket.js';

t.test('the kernel says who the peer is', async (t) => {
  const [one, other] = streamPair();
  t.match(peerOf(one), { pid: process.pid, uid: 0 });
  close(one);
  close(other);
  t.equal(peerOf(-1), undefined);
});
