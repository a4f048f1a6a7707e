/** The router's end of a job channel, with the test at the worker's. */

import { openSync } from 'node:fs';
import t, { type Test } from 'tap';
import {
  jobBodyFile,
  jobKeep,
  jobMaxBytes,
  type Note,
  noteDone,
  noteStarted,
} from '../../src/control/worker-messages.js';
import { Poller } from '../../src/os/poller.js';
import { close, memfd, seqpacketPair } from '../../src/os/socket.js';
import type { StoredBody } from '../../src/request/spool.js';
import { Exchange } from '../../src/router/exchange.js';
import { RoutedSite } from '../../src/router/routed-site.js';
import { WorkerLink } from '../../src/router/worker-link.js';
import { aRound, identity } from '../harness/sockets.js';
import { descriptorCount } from '../os/running.js';
import { FakeWorker, noteOf } from './fake-worker.js';
import { emptyBody, headOf, Rig, siteConfig } from './rig.js';

class LinkRig {
  readonly poller = new Poller();
  readonly site = new RoutedSite(1, siteConfig);
  readonly worker: FakeWorker;
  readonly link: WorkerLink;
  readonly notes: Note[] = [];
  readonly ends: boolean[] = [];
  readonly #t: Test;

  constructor(t: Test) {
    this.#t = t;
    const [ours, theirs] = seqpacketPair();
    this.worker = new FakeWorker(7, theirs);
    const handlers = {
      note: (_link: WorkerLink, note: Note) => this.notes.push(note),
      ended: (_link: WorkerLink, isBreach: boolean) => this.ends.push(isBreach),
    };
    this.link = new WorkerLink(
      { id: 7, fd: ours, pid: 4711, slate: undefined },
      this.site,
      this.poller,
      handlers,
    );
    t.teardown(() => {
      this.link.close();
      this.worker.die();
      this.poller.close();
    });
  }

  exchange(body: StoredBody = emptyBody, params: Readonly<Record<string, string>> = { A: 'b' }): Exchange {
    const { connection } = new Rig(this.#t).request(this.site);
    return new Exchange(connection, this.site, headOf(params, false, 9), body, 0, '');
  }

  settle(): Promise<void> {
    return aRound(this.poller);
  }
}

t.test('what a job is made of', (t) => {
  const rig = new LinkRig(t);
  const file = openSync('/etc/passwd', 'r');
  t.teardown(() => close(file));
  const inline = rig.exchange({ kind: 'memory', buffer: Buffer.from('body'), length: 4 });
  t.equal(rig.link.run(inline, inline.connection.fd, true, false), 'sent');
  const first = rig.worker.job();
  t.match(first, { requestId: 9, flags: jobKeep, params: inline.head.params, bodyLength: 4, bodyFile: -1 });
  t.equal(first.body.toString(), 'body');
  t.equal(first.sequence, rig.link.sequence);
  t.equal(identity(first.connection), identity(inline.connection.fd));
  const large = rig.exchange({ kind: 'file', fd: file, length: 5_000_000_000 });
  t.equal(rig.link.run(large, large.connection.fd, false, false), 'sent');
  const second = rig.worker.job();
  t.match(second, { flags: jobBodyFile, bodyLength: 5_000_000_000 });
  t.equal(second.body.length, 0);
  t.equal(identity(second.bodyFile), identity(file));
  t.not(second.sequence, first.sequence);
  for (const fd of [first.connection, second.connection, second.bodyFile]) close(fd);
  t.end();
});

t.test('a job that cannot be handed over', (t) => {
  const rig = new LinkRig(t);
  const tooLarge = rig.exchange(emptyBody, { A: 'x'.repeat(jobMaxBytes) });
  t.equal(rig.link.run(tooLarge, tooLarge.connection.fd, false, false), 'too-large');
  t.equal(rig.worker.take(), undefined);
  rig.worker.die();
  const exchange = rig.exchange();
  t.equal(rig.link.run(exchange, exchange.connection.fd, false, false), 'dead');
  t.same(rig.ends, [], 'who runs it is told by the answer');
  t.end();
});

t.test('notes about its job, and about no other', async (t) => {
  const rig = new LinkRig(t);
  const exchange = rig.exchange();
  rig.link.run(exchange, exchange.connection.fd, false, false);
  const { sequence, connection } = rig.worker.job();
  close(connection);
  rig.worker.note({ type: noteStarted, sequence });
  rig.worker.note({ type: noteDone, sequence: sequence + 1 });
  rig.worker.note({ type: noteDone, sequence, status: 404 });
  await rig.settle();
  t.match(rig.notes, [
    { type: noteStarted, sequence },
    { type: noteDone, sequence, status: 404 },
  ]);
  t.equal(rig.notes.length, 2);
  t.same(rig.ends, []);
});

t.test('its end, and the end of one that breaks the rules', async (t) => {
  const dead = new LinkRig(t);
  dead.worker.die();
  await dead.settle();
  t.same(dead.ends, [false]);
  for (const bytes of [Buffer.alloc(3), noteOf({ type: 9, sequence: 0 }), Buffer.alloc(1000)]) {
    const rig = new LinkRig(t);
    rig.worker.say(bytes);
    rig.worker.note({ type: noteDone, sequence: 0 });
    await rig.settle();
    t.same(rig.ends, [true]);
    t.same(rig.notes, [], 'nothing more is heard');
    t.ok(rig.worker.isLetGo);
  }
});

t.test('a worker has eight words for a job', async (t) => {
  const rig = new LinkRig(t);
  for (let job = 0; job < 3; job++) {
    const exchange = rig.exchange();
    rig.link.run(exchange, exchange.connection.fd, false, false);
    const { sequence, connection } = rig.worker.job();
    close(connection);
    for (let i = 0; i < 8; i++) rig.worker.note({ type: noteStarted, sequence });
    await rig.settle();
  }
  t.equal(rig.notes.length, 24);
  t.same(rig.ends, []);
  rig.worker.note({ type: noteStarted, sequence: rig.link.sequence });
  await rig.settle();
  t.same(rig.ends, [true]);
});

t.test('the last words of a dead worker are heard, whoever holds its channel', async (t) => {
  const rig = new LinkRig(t);
  const exchange = rig.exchange();
  rig.link.run(exchange, exchange.connection.fd, false, false);
  const { sequence, connection } = rig.worker.job();
  close(connection);
  rig.worker.note({ type: noteDone, sequence });
  rig.link.drain();
  t.ok(rig.link.isDead);
  t.equal(rig.notes.length, 1, 'at once');
  t.same(rig.ends, []);
});

t.test('a link that is closed is quiet', async (t) => {
  const rig = new LinkRig(t);
  const before = descriptorCount();
  rig.worker.note({ type: noteDone, sequence: 0 });
  rig.link.close();
  t.equal(descriptorCount(), before - 1);
  const another = memfd('with the same number');
  rig.link.close();
  t.doesNotThrow(() => identity(another));
  close(another);
  await rig.settle();
  rig.link.drain();
  t.same([rig.notes.length, rig.ends.length], [0, 0]);
});
