/** Whole messages with descriptors, in order, over real socket pairs. */

import { fstatSync } from 'node:fs';
import t from 'tap';
import { Channel } from '../../src/control/channel.js';
import { POLLIN, Poller } from '../../src/os/poller.js';
import {
  close,
  receive,
  send,
  sendMessage,
  seqpacketPair,
  shutdownBoth,
  streamPair,
} from '../../src/os/socket.js';
import { aRound, identity } from '../harness/sockets.js';
import { socketCount } from '../os/running.js';
import { numbered, Side } from './channel-side.js';

t.test('messages and descriptors arrive as they were sent', async (t) => {
  const side = new Side(t);
  const [a, b] = streamPair();
  const bytes = numbered(7, 100);
  sendMessage(side.peer, bytes, 0, 100, a, b);
  sendMessage(side.peer, bytes, 0, 5, -1, -1);
  await side.settle();
  t.same(
    side.heard.map((heard) => heard.bytes.length),
    [100, 5],
    'with their boundaries',
  );
  t.same(side.heard[0]?.descriptors.map(identity), [identity(a), identity(b)]);
  t.same(side.heard[1]?.descriptors, []);
  for (const fd of [a, b, ...(side.heard[0]?.descriptors ?? [])]) close(fd);
});

t.test('a slow peer gets everything in order, each descriptor with its message', async (t) => {
  const side = new Side(t);
  const before = socketCount();
  const inodes: number[] = [];
  const got: ReturnType<Side['take']> = [];
  const change = t.capture(side.poller, 'change', side.poller.change.bind(side.poller));
  for (let i = 0; i < 500; i++) {
    const [a, b] = streamPair();
    inodes.push(identity(a));
    if (!side.channel.send(numbered(i), 4096, a)) throw new Error(`message ${i} is not taken`);
    close(b);
    // There is room again, but those who wait come first.
    if (i === 250) got.push(...side.take());
  }
  for (let round = 0; got.length < 500 && round < 1000; round++) {
    got.push(...side.take());
    await side.settle();
  }
  t.same(
    got.map(({ number }) => number),
    inodes.map((_, i) => i),
  );
  t.same(
    got.map(({ descriptor }) => fstatSync(descriptor).ino),
    inodes,
  );
  for (const { descriptor } of got) close(descriptor);
  t.equal(socketCount(), before, 'none is left open here');
  t.same(change().at(-1)?.args.at(-1), POLLIN, 'and nobody is woken for room to write');
});

t.test('bytes may be used again as soon as they were sent', async (t) => {
  const side = new Side(t);
  const bytes = Buffer.alloc(4096);
  for (let i = 0; i < 200; i++) {
    bytes.writeUInt32LE(i, 0);
    side.channel.send(bytes, bytes.length);
  }
  bytes.fill(255);
  const got: number[] = [];
  for (let round = 0; got.length < 200 && round < 1000; round++) {
    got.push(...side.take().map(({ number }) => number));
    await side.settle();
  }
  t.same(
    got,
    Array.from({ length: 200 }, (_, i) => i),
  );
});

t.test('a descriptor is lent or taken over, whether it must wait or not', async (t) => {
  for (const isClogged of [false, true]) {
    const side = new Side(t);
    if (isClogged) for (let i = 0; side.channel.send(numbered(i), 4096) && i < 100; i++);
    const [lent, twin] = streamPair();
    const [taken, other] = streamPair();
    side.channel.send(numbered(1000), 4096, lent, true);
    side.channel.send(numbered(1001), 4096, taken);
    const got: ReturnType<Side['take']> = [];
    for (let round = 0; got.at(-1)?.number !== 1001 && round < 1000; round++) {
      got.push(...side.take());
      await side.settle();
    }
    const [first, second] = got.slice(-2);
    t.equal(identity(first?.descriptor ?? -1), identity(lent));
    close(second?.descriptor ?? -1);
    t.equal(receive(other, Buffer.alloc(1), 0, 1), 0, 'nobody has the one that was given any more');
    for (const fd of [lent, twin, other, first?.descriptor ?? -1]) close(fd);
  }
});

t.test('what a peer said before its end is heard', async (t) => {
  const poller = new Poller();
  t.teardown(() => poller.close());
  const [ours, peer] = seqpacketPair();
  const events: string[] = [];
  const channel = new Channel(poller, ours, Buffer.alloc(10), 10, {
    message: (buffer, length) => events.push(buffer.toString('latin1', 0, length)),
    ended: () => events.push('ended'),
  });
  for (const text of ['one', 'two']) send(peer, Buffer.from(text), 0, 3);
  close(peer);
  await aRound(poller);
  t.same(events, ['one', 'two', 'ended']);
  t.notOk(channel.isOpen);
  const [a, b] = streamPair();
  t.notOk(channel.send(Buffer.alloc(4), 4, a, true));
  t.ok(fstatSync(a), 'what was lent stays');
  t.notOk(channel.send(Buffer.alloc(4), 4, a));
  t.throws(() => fstatSync(a), { code: 'EBADF' }, 'what was given is closed');
  close(b);
  channel.close();
  t.same(events.length, 3, 'told once');
});

t.test('a peer that is gone before it has taken everything', async (t) => {
  const poller = new Poller();
  t.teardown(() => poller.close());
  const [ours, peer] = seqpacketPair();
  const events: string[] = [];
  const channel = new Channel(poller, ours, Buffer.alloc(10), 1000, {
    message: (buffer, length) => events.push(buffer.toString('latin1', 0, length)),
    ended: () => events.push('ended'),
  });
  for (let i = 0; i < 100; i++) channel.send(numbered(i), 4096);
  send(peer, Buffer.from('last words'), 0, 10);
  close(peer);
  await aRound(poller);
  t.same(events, ['last words', 'ended']);
});

t.test('who sends to a peer that has just gone is told at once', async (t) => {
  const side = new Side(t);
  shutdownBoth(side.peer);
  const [given, other] = streamPair();
  t.notOk(side.channel.send(numbered(1), 4096, given));
  t.notOk(side.channel.isOpen);
  t.equal(receive(other, Buffer.alloc(1), 0, 1), 0, 'what was given is closed');
  const [lent, twin] = streamPair();
  t.notOk(new Side(t, 0).channel.send(Buffer.alloc(300_000), 300_000, lent, true));
  t.ok(fstatSync(lent), 'what was lent is not');
  await side.settle();
  t.equal(side.ends, 0);
  for (const fd of [other, lent, twin]) close(fd);
});
