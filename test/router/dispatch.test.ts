/** From an admitted request to its end, with socket pairs in the place of workers and web server. */

import { openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import {
  jobBodyFile,
  jobKeep,
  noteComplete,
  noteDone,
  notePeerGone,
  noteRefused,
  noteStarted,
} from '../../src/control/worker-messages.js';
import { close } from '../../src/os/socket.js';
import { arrived, identity } from '../harness/sockets.js';
import { noteOf } from './fake-worker.js';
import { Rig } from './rig.js';

const complete = { type: noteDone, flags: noteComplete, bytesOut: 100 };

t.test('a request goes to a worker, and ends with its note', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const request = rig.admit(site);
  t.same(rig.demands, [{ site: 'a.test', count: 1 }]);
  t.equal(request.exchange.state, 'waiting');
  const worker = rig.worker(site);
  t.equal(request.exchange.state, 'running');
  const job = worker.job();
  t.same(job.params, request.exchange.head.params);
  t.equal(job.flags, 0);
  t.equal(identity(job.connection), identity(request.connection.fd), 'it answers on the connection itself');
  close(job.connection);
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.match(rig.endingOf(request), { kind: 'done', note: { status: 200, bytesOut: 100 } });
  t.equal(request.exchange.state, 'over');
  t.equal(site.pool.idleCount, 1);
  t.same(rig.changed, ['a.test'], 'somebody is to watch how long it stays idle');
  t.equal(worker.take(), undefined);
});

t.test('one worker runs all who wait, first come first served', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const requests = Array.from({ length: 9 }, (_, i) =>
    rig.admit(site, { params: { SCRIPT_FILENAME: `/${i}.php` } }),
  );
  const worker = rig.worker(site);
  const sequences = new Set<number>();
  for (const request of requests) {
    const job = worker.job();
    close(job.connection);
    t.same(job.params, request.exchange.head.params);
    sequences.add(job.sequence);
    worker.note({ type: noteStarted, sequence: job.sequence });
    worker.note({ ...complete, sequence: job.sequence });
    await rig.settle();
    t.equal(rig.endingOf(request)?.kind, 'done');
  }
  t.equal(sequences.size, 9);
});

t.test('a body in memory goes with the job, one in a file beside it', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const path = `/tmp/guise-body-${process.pid}`;
  writeFileSync(path, 'from a file');
  const fd = openSync(path, 'r');
  t.teardown(() => rmSync(path));
  const worker = rig.worker(site);
  rig.admit(site, { body: { kind: 'file', fd, length: 11 } });
  t.throws(() => identity(fd), { code: 'EBADF' }, 'the router has let go of it');
  const byFile = worker.job();
  t.same([byFile.flags, byFile.body.length, byFile.bodyLength], [jobBodyFile, 0, 11]);
  t.equal(readFileSync(byFile.bodyFile, 'utf8'), 'from a file');
  close(byFile.bodyFile);
  close(byFile.connection);
  worker.note({ ...complete, sequence: byFile.sequence });
  await rig.settle();
  rig.admit(site, { body: { kind: 'memory', buffer: Buffer.from('inline'), length: 6 } });
  const inline = worker.job();
  t.same([inline.flags, inline.body.toString(), inline.bodyFile], [0, 'inline', -1]);
  close(inline.connection);
});

t.test('the last bytes of a dead worker', async (t) => {
  for (const [told, expected] of [
    [[], { kind: 'refused', reason: 'worker-died' }],
    [[{ type: noteStarted }], { kind: 'cut', reason: 'worker-died' }],
    [[complete], { kind: 'done' }],
    [[{ type: noteStarted }, complete], { kind: 'done' }],
  ] as const) {
    for (const knownBy of ['its channel', 'the master']) {
      const rig = new Rig(t);
      const site = rig.site();
      const worker = rig.worker(site);
      const request = rig.admit(site);
      const job = worker.job();
      close(job.connection);
      for (const note of told) worker.note({ ...note, sequence: job.sequence });
      if (knownBy === 'its channel') worker.die();
      // The master's word comes before the router has looked at the channel, which a stray child may hold open.
      else rig.dispatcher.workerGone(worker.id);
      await rig.settle();
      const ending = rig.endingOf(request);
      t.match(ending, expected, `after ${told.length} notes, known by ${knownBy}`);
      t.ok(site.pool.isQuiet);
      rig.dispatcher.workerGone(worker.id);
      t.equal(rig.endings.length, 1, 'told twice, ended once');
    }
  }
});

t.test('a refusal of the script check', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  for (const [number, reason] of [
    [4, 'script-outside-root'],
    [7, 'script-owner'],
    [4711, 'worker-died'],
  ] as const) {
    const request = rig.admit(site);
    const job = worker.job();
    close(job.connection);
    worker.note({ type: noteRefused, sequence: job.sequence, status: number, found: 1234 });
    await rig.settle();
    t.match(rig.endingOf(request), { kind: 'refused', reason, note: { found: 1234 } });
  }
  t.equal(site.pool.idleCount, 1, 'the worker goes on');
});

t.test('how an unfinished answer ends', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  for (const [fields, ending] of [
    [
      { flags: notePeerGone, bytesOut: 10 },
      { kind: 'cut', reason: 'visitor-left' },
    ],
    [
      { flags: 0, bytesOut: 10 },
      { kind: 'cut', reason: 'worker-died' },
    ],
    [
      { flags: 0, bytesOut: 0 },
      { kind: 'refused', reason: 'worker-died' },
    ],
  ] as const) {
    const request = rig.admit(site);
    const job = worker.job();
    close(job.connection);
    worker.note({ type: noteDone, sequence: job.sequence, ...fields });
    await rig.settle();
    t.match(rig.endingOf(request), ending);
  }
});

t.test('what a worker says about no job of its own counts for nothing', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  worker.note({ ...complete, sequence: 0 });
  await rig.settle();
  const first = rig.admit(site);
  const job = worker.job();
  close(job.connection);
  for (const wrong of [job.sequence + 1, job.sequence - 1, 0xffff_ffff]) {
    worker.note({ ...complete, sequence: wrong >>> 0 });
  }
  await rig.settle();
  t.equal(rig.endingOf(first), undefined);
  worker.note({ ...complete, sequence: job.sequence });
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.equal(rig.endingOf(first)?.kind, 'done', 'once');
  const second = rig.admit(site);
  await rig.settle();
  t.equal(rig.endingOf(second), undefined, 'the old note does not end the next request');
  close(worker.job().connection);
});

t.test('garbage ends the worker, not the router', async (t) => {
  const garbage = [
    Buffer.alloc(1),
    Buffer.alloc(56),
    Buffer.alloc(55, 1),
    Buffer.alloc(57, 1),
    Buffer.alloc(200_000, 1),
    noteOf({ type: 4, sequence: 1 }),
    noteOf({ type: 0xffff_ffff, sequence: 1 }),
  ];
  for (const bytes of garbage) {
    const rig = new Rig(t);
    const site = rig.site();
    const worker = rig.worker(site);
    const request = rig.admit(site);
    close(worker.job().connection);
    t.equal(worker.say(bytes), bytes.length);
    await rig.settle();
    t.match(rig.endingOf(request), { kind: 'refused', reason: 'worker-died' });
    t.ok(worker.isLetGo);
    t.ok(site.pool.isQuiet);
    t.same(rig.kills, [worker.id], 'who talks nonsense is not left alone with its place in the pool');
  }
});

t.test('no connection is kept alive by what the shared socket lends', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  const own = rig.admit(site, { keep: true, ownSocket: site.id });
  const onOwn = worker.job();
  t.equal(identity(onOwn.connection), identity(own.connection.fd), "on a site's own socket it is lent");
  t.equal(onOwn.flags, jobKeep);
  worker.note({ ...complete, sequence: onOwn.sequence });
  await rig.settle();
  close(onOwn.connection);
  const shared = rig.admit(site, { keep: true });
  const onShared = worker.job();
  t.not(identity(onShared.connection), identity(shared.connection.fd), 'on the shared one it is not');
  t.equal(onShared.flags, 0);
  close(onShared.connection);
  t.same(arrived(shared.webServer), Buffer.alloc(0));
});
