/** What a peer can do to a channel, and what it cannot: everything has a bound, and nothing leaks. */

import t from 'tap';
import { errno } from '../../src/os/errno.js';
import { POLLIN } from '../../src/os/poller.js';
import { close, memfd, send, sendMessage, streamPair } from '../../src/os/socket.js';
import { socketCount } from '../os/running.js';
import { largest, numbered, Side } from './channel-side.js';

t.test('a peer that lets too much pile up has lost its channel', async (t) => {
  const side = new Side(t, 3);
  const before = socketCount();
  let sent = 0;
  for (;;) {
    const [a, b] = streamPair();
    close(b);
    if (!side.channel.send(numbered(sent), 4096, a)) break;
    sent++;
  }
  t.notOk(side.channel.isOpen);
  t.ok(sent > 3 && sent < 1000, `${sent} messages`);
  t.notOk(side.channel.send(numbered(0), 4096));
  await side.settle();
  t.equal(side.ends, 0, 'who sends is told by the answer');
  for (const { descriptor } of side.take()) close(descriptor);
  t.equal(socketCount(), before - 1, 'all descriptors are closed, and the channel itself');
  t.equal(send(side.peer, numbered(0), 0, 4), -errno.EPIPE);
});

t.test('a peer that breaks the rules has lost its channel, and leaks nothing', async (t) => {
  const breaches: [string, (peer: number) => void][] = [
    ['too large', (peer) => send(peer, Buffer.alloc(largest + 1), 0, largest + 1)],
    ['empty', (peer) => sendMessage(peer, Buffer.alloc(0), 0, 0, -1, -1)],
    [
      'too large, with descriptors',
      (peer) => sendMessage(peer, Buffer.alloc(largest + 1), 0, largest + 1, peer, peer),
    ],
  ];
  for (const [name, breach] of breaches) {
    const side = new Side(t);
    const before = socketCount();
    breach(side.peer);
    send(side.peer, numbered(1), 0, 4096);
    await side.settle();
    t.equal(side.ends, 1, name);
    t.same(side.heard, [], 'nothing after it is heard');
    t.equal(socketCount(), before - 1);
  }
});

t.test('a handler may close the channel between two messages', async (t) => {
  const side = new Side(t);
  for (let i = 0; i < 5; i++) send(side.peer, numbered(i), 0, 100);
  side.onMessage = (channel) => {
    if (side.heard.length === 2) channel.close();
  };
  await side.settle();
  t.equal(side.heard.length, 2);
  t.equal(side.ends, 0);
});

t.test('a peer that talks without end does not keep others waiting', async (t) => {
  const side = new Side(t);
  const [ours, theirs] = streamPair();
  t.teardown(() => [ours, theirs].forEach(close));
  let heardBefore = -1;
  side.poller.add(ours, POLLIN, () => {
    heardBefore = side.heard.length;
    side.poller.remove(ours);
  });
  // Each message that is heard is followed by two more.
  let said = 0;
  side.onMessage = () => {
    for (let i = 0; i < 2 && said < 10_000; i++) if (send(side.peer, numbered(0, 8), 0, 8) > 0) said++;
  };
  send(side.peer, numbered(0, 8), 0, 8);
  send(theirs, Buffer.alloc(1), 0, 1);
  while (side.heard.length < 200) await side.settle();
  t.ok(heardBefore >= 0 && heardBefore <= 64, `the other one was heard after ${heardBefore} messages`);
});

t.test('a lent descriptor that was closed too early ends the channel instead of spinning', async (t) => {
  const side = new Side(t);
  for (let i = 0; i < 100; i++) side.channel.send(numbered(i), 4096);
  // Its number must not be used again meanwhile: lower ones become free.
  const lower = Array.from({ length: 20 }, () => memfd('lower'));
  const lent = memfd('lent');
  side.channel.send(numbered(100), 4096, lent, true);
  for (const fd of [lent, ...lower]) close(fd);
  for (let round = 0; side.channel.isOpen && round < 1000; round++) {
    side.take();
    await side.settle();
  }
  t.notOk(side.channel.isOpen);
  t.equal(side.ends, 1);
});

t.test('a peer that is clogged itself still hears', async (t) => {
  const side = new Side(t);
  while (sendMessage(side.peer, numbered(0), 0, 4096, -1, -1) > 0);
  t.ok(side.channel.send(numbered(1), 4096));
  await side.settle();
  t.ok(side.heard.length > 10);
  t.same(
    side.take().map(({ number }) => number),
    [1],
  );
});
