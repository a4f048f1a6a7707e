/** What a worker writes on the end that it is given, and what of it reaches the web server: over real sockets. */

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { encodeAnswer, encodeEndRequest, encodeStream } from '../../src/fastcgi/encode.js';
import { AnswerFollower } from '../../src/fastcgi/follow.js';
import { Poller } from '../../src/os/poller.js';
import { close, send, shutdownBoth, shutdownWrite, streamPair } from '../../src/os/socket.js';
import { defaultReadLimits } from '../../src/request/limits.js';
import { RequestReader } from '../../src/request/reader.js';
import { Connection } from '../../src/router/connection.js';
import { Relay } from '../../src/router/relay.js';
import { hostileBytes } from '../fuzz/pieces.js';
import { aRound, arrived } from '../harness/sockets.js';
import { descriptorCount } from '../os/running.js';

class RelayRig {
  readonly poller = new Poller();
  readonly webServer: number;
  readonly connection: Connection;
  readonly relay: Relay;
  overs = 0;
  #isOpen = true;

  constructor(t?: Test) {
    const [ours, webServer] = streamPair();
    this.webServer = webServer;
    const limits = defaultReadLimits;
    const reader = new RequestReader({ limits, spoolDirectory: '/nonexistent', maxConnections: 1 });
    this.connection = new Connection(ours, 0, reader, Infinity, this.poller, {
      readable: () => undefined,
      hungUp: () => undefined,
      flushed: () => this.relay.resume(),
    });
    this.relay = new Relay(this.poller, this.connection, 1, () => this.overs++);
    t?.teardown(() => this.end());
  }

  /** As a worker does: what the kernel does not take now is written later. */
  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const sent = send(this.relay.theirs, bytes, at, bytes.length - at);
      if (sent > 0) at += sent;
      else if (sent === -11) await aRound(this.poller);
      else return;
    }
  }

  settle(): Promise<void> {
    return aRound(this.poller);
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.relay.close();
    this.relay.handedOver();
    this.connection.release();
    close(this.webServer);
    this.poller.close();
  }
}

/** What may pass of this: judged in one piece, by the follower alone. */
function passable(bytes: Buffer): {
  readonly forward: Buffer;
  readonly state: string;
  readonly settled: Buffer;
} {
  const follower = new AnswerFollower(1);
  const { forward, state } = follower.push(bytes, 0, bytes.length);
  return {
    forward: bytes.subarray(0, forward),
    state,
    settled: bytes.subarray(0, forward - follower.unsettled),
  };
}

t.test('whatever a worker writes, wherever it stops: so much and no more', async (t) => {
  const answer = encodeAnswer(1, Buffer.from('Status: 200 OK\r\n\r\nhello'));
  const mutated = fc
    .tuple(fc.nat(answer.length - 1), fc.nat(255))
    .map(([at, byte]) => Buffer.concat([answer.subarray(0, at), Buffer.of(byte), answer.subarray(at + 1)]));
  const written = fc.oneof(
    hostileBytes,
    mutated,
    hostileBytes.map((bytes) => Buffer.concat([answer, bytes])),
    fc.nat(answer.length).map((length) => answer.subarray(0, length)),
  );
  const before = descriptorCount();
  const states = new Set<string>();
  const property = fc.asyncProperty(written, fc.nat(400), async (bytes, cut) => {
    const rig = new RelayRig();
    try {
      await rig.write(bytes.subarray(0, cut));
      await rig.settle();
      await rig.write(bytes.subarray(cut));
      shutdownWrite(rig.relay.theirs);
      await rig.settle();
      const { forward, state, settled } = passable(bytes);
      states.add(state);
      const received = arrived(rig.webServer);
      if (!received.equals(settled)) throw new Error('not what may pass');
      if (rig.overs !== 1) throw new Error(`over ${rig.overs} times`);
      if (rig.relay.end !== (state === 'ended' ? 'ended' : 'broken')) throw new Error('another end');
      if (rig.relay.began !== settled.length > 0) throw new Error('began, or not');
      rig.relay.release();
      const rest = arrived(rig.webServer);
      const end = state === 'ended' ? forward.subarray(settled.length) : Buffer.alloc(0);
      if (!rest.equals(end)) throw new Error('not the end of the answer');
    } finally {
      rig.end();
    }
  });
  await fc.assert(property, { numRuns: 400, interruptAfterTimeLimit: 10_000 });
  t.same([...states].sort(), ['broken', 'ended', 'open']);
  t.equal(descriptorCount(), before);
});

t.test('byte by byte, and the end when it is released', async (t) => {
  const rig = new RelayRig(t);
  const page = encodeStream(6, 1, Buffer.from('Status: 200 OK\r\n\r\n'));
  const end = encodeEndRequest(1);
  for (const byte of Buffer.concat([page, end])) await rig.write(Buffer.of(byte));
  await rig.settle();
  t.equal(rig.relay.end, 'ended');
  t.same(arrived(rig.webServer), page);
  rig.relay.release();
  rig.relay.release();
  t.same(arrived(rig.webServer), end, 'once');
});

t.test('nonsense ends it at once, not when its worker has had enough', async (t) => {
  const rig = new RelayRig(t);
  await rig.write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  await rig.settle();
  t.equal(rig.relay.end, 'broken');
  t.equal(rig.overs, 1);
  t.same(arrived(rig.webServer), Buffer.alloc(0));
});

t.test('a relay that is closed tells nobody, and its worker writes to nothing', async (t) => {
  const rig = new RelayRig(t);
  await rig.write(encodeStream(6, 1, Buffer.from('Status')));
  await rig.settle();
  rig.relay.close();
  t.equal(send(rig.relay.theirs, Buffer.alloc(1), 0, 1), -32);
  rig.relay.resume();
  rig.relay.release();
  await rig.settle();
  t.equal(rig.overs, 0);
  t.equal(rig.relay.end, undefined);
});

t.test('a visitor who has left does not stop the worker', async (t) => {
  for (const leave of [shutdownBoth, close]) {
    const rig = new RelayRig(t);
    const page = encodeAnswer(1, Buffer.alloc(3_000_000, 'x'));
    const writing = rig.write(page);
    for (let i = 0; i < 10; i++) await rig.settle();
    t.ok(rig.connection.hasUnsent, 'he was slow');
    leave(rig.webServer);
    await writing;
    await rig.settle();
    t.equal(rig.relay.end, 'ended', 'it wrote its answer to the end');
    t.notOk(rig.connection.hasUnsent);
  }
});

t.test('while the web server is slow no more is held than what fits into a chunk', async (t) => {
  const rig = new RelayRig(t);
  const page = encodeStream(6, 1, Buffer.alloc(4_000_000, 'x'));
  let written = 0;
  for (let i = 0; i < 50; i++) {
    const sent = send(rig.relay.theirs, page, written, page.length - written);
    if (sent > 0) written += sent;
    await rig.settle();
  }
  const kernelBytes = 2 * 2 * 212_992;
  t.ok(written < kernelBytes + 2 * 65_536, `${written} bytes are on the way`);
  t.ok(written > 65_536);
  t.equal(rig.relay.end, undefined);
});
