/**
 * Kept connections of the shared socket carry one site's request after another's, so whatever a worker does with the
 * end that it is given, the connection is either at the end of an answer or of no further use.
 */

import t, { type Test } from 'tap';
import {
  noteComplete,
  noteDone,
  notePeerGone,
  noteRefused,
  noteStarted,
} from '../../src/control/worker-messages.js';
import { encodeAnswer, encodeEndRequest, encodeRecord } from '../../src/fastcgi/encode.js';
import { close, send } from '../../src/os/socket.js';
import { arrived } from '../harness/sockets.js';
import type { FakeWorker, Job } from './fake-worker.js';
import { type Request, Rig } from './rig.js';

const complete = { type: noteDone, flags: noteComplete, bytesOut: 100 };
const answer = encodeAnswer(1, Buffer.from('Status: 200 OK\r\n\r\nhello'));
/** The beginning of a record: more content is announced than there is. */
const partial = encodeRecord(6, 1, Buffer.alloc(64)).subarray(0, 20);

interface Shared {
  readonly rig: Rig;
  readonly worker: FakeWorker;
  readonly request: Request;
  readonly job: Job;
}

function shared(t: Test): Shared {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const request = rig.admit(site, { keep: true });
  return { rig, worker, request, job: worker.job() };
}

function write(job: Job, bytes: Buffer): void {
  if (send(job.connection, bytes, 0, bytes.length) !== bytes.length) throw new Error('not written');
}

t.test('an answer reaches the web server whole, whatever comes first', async (t) => {
  for (const order of ['answer, note', 'note, answer']) {
    const { rig, worker, request, job } = shared(t);
    for (const step of order.split(', ')) {
      if (step === 'answer') write(job, answer);
      else worker.note({ ...complete, sequence: job.sequence });
      if (step === 'note' && order.startsWith('note')) {
        await rig.settle();
        t.equal(rig.endingOf(request), undefined, 'not over before its last byte');
      }
    }
    await rig.settle();
    t.equal(rig.endingOf(request)?.kind, 'done', order);
    t.same(arrived(request.webServer), answer);
    close(job.connection);
  }
});

t.test('the end of an answer waits until its worker has let go of it', async (t) => {
  for (const note of [
    complete,
    { type: noteRefused, status: 7 },
    { type: noteDone, flags: notePeerGone },
    undefined,
  ]) {
    const { rig, worker, request, job } = shared(t);
    write(job, answer);
    await rig.settle();
    t.equal(rig.endingOf(request), undefined);
    const end = answer.length - encodeEndRequest(1).length;
    t.same(
      arrived(request.webServer),
      answer.subarray(0, end),
      'the web server cannot use the connection again',
    );
    if (note === undefined) worker.die();
    else worker.note({ ...note, sequence: job.sequence });
    await rig.settle();
    t.equal(rig.endingOf(request)?.kind, 'done', 'it was complete, whatever the worker says then');
    t.same(arrived(request.webServer), answer.subarray(end));
    close(job.connection);
  }
});

t.test('nothing that follows the answer gets through', async (t) => {
  const { rig, worker, request, job } = shared(t);
  write(job, Buffer.concat([answer, answer]));
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.equal(rig.endingOf(request)?.kind, 'done');
  t.same(arrived(request.webServer), answer);
  t.ok(send(job.connection, answer, 0, answer.length) < 0, 'its end is dead');
  await rig.settle();
  t.same(arrived(request.webServer), Buffer.alloc(0));
  close(job.connection);
});

t.test('an answer that breaks off is not done, whatever its worker says', async (t) => {
  for (const order of ['the answer breaks off first', 'the note comes first']) {
    const { rig, worker, request, job } = shared(t);
    write(job, partial);
    await rig.settle();
    if (order.startsWith('the note')) worker.note({ ...complete, sequence: job.sequence });
    await rig.settle();
    close(job.connection);
    await rig.settle();
    if (order.startsWith('the answer')) worker.note({ ...complete, sequence: job.sequence });
    await rig.settle();
    t.match(rig.endingOf(request), { kind: 'cut', reason: 'worker-died' }, order);
  }
});

t.test('a worker that says "done" without a word has answered nothing', async (t) => {
  const { rig, worker, request, job } = shared(t);
  close(job.connection);
  await rig.settle();
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.match(rig.endingOf(request), { kind: 'refused', reason: 'worker-died' });
});

t.test('nonsense on the way is stopped, and its answer is not done', async (t) => {
  for (const nonsense of [
    encodeRecord(6, 2, Buffer.from('of another')),
    encodeRecord(9, 0),
    Buffer.alloc(8),
  ]) {
    const { rig, worker, request, job } = shared(t);
    write(job, Buffer.concat([encodeRecord(6, 1, Buffer.from('Status: 200 OK\r\n\r\n')), nonsense]));
    worker.note({ ...complete, sequence: job.sequence });
    await rig.settle();
    t.match(rig.endingOf(request), { kind: 'cut', reason: 'worker-died' });
    close(job.connection);
  }
});

t.test('no page of ours is put behind what a worker has begun', async (t) => {
  for (const note of [
    { type: noteRefused, status: 7 },
    { type: noteDone, flags: 0, bytesOut: 0 },
  ]) {
    const { rig, worker, request, job } = shared(t);
    write(job, partial);
    await rig.settle();
    worker.note({ ...note, sequence: job.sequence });
    await rig.settle();
    t.equal(rig.endingOf(request)?.kind, 'cut', `after a note of type ${note.type}`);
    close(job.connection);
  }
});

t.test('a worker that has said that it began is believed', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  const request = rig.admit(site);
  const job = worker.job();
  worker.note({ type: noteStarted, sequence: job.sequence });
  worker.note({ type: noteRefused, sequence: job.sequence, status: 7 });
  await rig.settle();
  t.equal(rig.endingOf(request)?.kind, 'cut');
  close(job.connection);
});

t.test('a worker that dies', async (t) => {
  for (const [written, kind] of [
    [Buffer.alloc(0), 'refused'],
    [partial, 'cut'],
  ] as const) {
    const { rig, worker, request, job } = shared(t);
    write(job, written);
    await rig.settle();
    close(job.connection);
    worker.die();
    await rig.settle();
    t.match(rig.endingOf(request), { kind, reason: 'worker-died' });
  }
});

t.test('a worker that dies with its answer on the way', async (t) => {
  const { rig, worker, request, job } = shared(t);
  write(job, answer);
  worker.note({ ...complete, sequence: job.sequence });
  close(job.connection);
  worker.die();
  rig.dispatcher.workerGone(worker.id);
  await rig.settle();
  t.equal(rig.endingOf(request)?.kind, 'done');
  t.same(arrived(request.webServer), answer);
});

t.test('a stray child that holds the end holds nothing', async (t) => {
  const { rig, worker, request, job } = shared(t);
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  const next = rig.admit(request.exchange.site, { keep: true });
  t.equal(next.exchange.state, 'running', 'the worker goes on');
  rig.dispatcher.stop(request.exchange, 'time-limit');
  t.same(rig.kills, [], 'and is not killed for a request that is no longer its own');
  t.equal(rig.endingOf(request)?.kind, 'refused');
  t.equal(rig.endingOf(next), undefined);
  t.ok(send(job.connection, answer, 0, answer.length) < 0, 'its end is dead');
  close(job.connection);
  close(worker.job().connection);
});

t.test('a slow web server holds the worker back, and gets everything', async (t) => {
  const { rig, worker, request, job } = shared(t);
  const page = encodeAnswer(1, Buffer.alloc(2_000_000, 'x'));
  let at = 0;
  const received: Buffer[] = [];
  for (let round = 0; at < page.length; round++) {
    const sent = send(job.connection, page, at, page.length - at);
    if (sent > 0) at += sent;
    if (round === 20) {
      t.ok(at < 1_000_000, `after a while no more than ${at} bytes are on the way`);
    }
    await rig.settle();
    if (round >= 20) received.push(arrived(request.webServer));
  }
  worker.note({ ...complete, sequence: job.sequence });
  close(job.connection);
  for (let round = 0; rig.endingOf(request) === undefined && round < 1000; round++) {
    await rig.settle();
    received.push(arrived(request.webServer));
  }
  t.equal(rig.endingOf(request)?.kind, 'done');
  await rig.settle();
  received.push(arrived(request.webServer));
  t.ok(Buffer.concat(received).equals(page));
});
