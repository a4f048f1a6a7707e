/** The router's process from its first order to its end. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { toMaster, toRouter } from '../../src/control/router-messages.js';
import { noteComplete, noteDone } from '../../src/control/worker-messages.js';
import { RecordType } from '../../src/fastcgi/constants.js';
import { encodeAnswer, encodeGetValues } from '../../src/fastcgi/encode.js';
import { close, memfd, send, seqpacketPair } from '../../src/os/socket.js';
import { FcgiClient, request } from '../harness/fcgi-client.js';
import { deathOf, statusFields, until } from '../os/running.js';
import type { FakeWorker } from './fake-worker.js';
import { launchRouter, TestMaster } from './master.js';

const ask = request({ SERVER_NAME: 'a.test', SCRIPT_FILENAME: '/srv/a.php' });
const drain = { type: toRouter.drain, site: 0, worker: 0, a: 0, b: 0 };

async function answerNext(worker: FakeWorker): Promise<void> {
  let job: ReturnType<FakeWorker['take']>;
  await until('a job', () => {
    job = worker.take();
    return job !== undefined;
  });
  if (job === undefined) return;
  const answer = encodeAnswer(job.requestId, Buffer.from('Status: 200 OK\r\n\r\nhello'));
  send(job.connection, answer, 0, answer.length);
  close(job.connection);
  worker.note({ type: noteDone, sequence: job.sequence, flags: noteComplete });
}

t.test('a request, then an orderly end', async (t) => {
  const master = await TestMaster.start(t);
  const client = await FcgiClient.connect(master.socket);
  client.send(ask);
  t.match(await master.hear(toMaster.demand), { site: 1, count: 1 });
  const status = statusFields(readFileSync(`/proc/${master.pid}/status`, 'utf8'));
  t.match(status.get('Uid'), /^1\t1\t1\t1$/, 'no longer root');
  t.equal(status.get('CapPrm'), '0000000000000000');
  master.order(drain);
  const worker = master.giveWorker(t);
  await answerNext(worker);
  t.equal((await client.answer()).body, 'hello', 'what has been accepted is still served');
  t.equal(await master.end(), 0);
});

t.test('without a master the router ends, at once when it has nothing to do', async (t) => {
  const master = await TestMaster.start(t);
  master.leave();
  t.equal(await master.end(), 0);
});

t.test('without a master the last request is still served', async (t) => {
  const master = await TestMaster.start(t);
  const client = await FcgiClient.connect(master.socket);
  client.send(ask);
  await master.hear(toMaster.demand);
  const worker = master.giveWorker(t);
  master.leave();
  await answerNext(worker);
  t.equal((await client.answer()).body, 'hello');
  t.equal(await master.end(), 0);
});

t.test('a router that learns of its master’s end by asking for a worker ends too', async (t) => {
  const master = await TestMaster.start(t);
  const client = await FcgiClient.connect(master.socket);
  client.send(encodeGetValues(['FCGI_MAX_REQS']));
  await client.next(RecordType.GET_VALUES_RESULT);
  // While it stands still the request comes first, then the master's end: it will ask before it hears.
  master.signal(19);
  await until('it to stand still', () => readFileSync(`/proc/${master.pid}/stat`, 'utf8').includes(') T '));
  client.send(ask);
  master.leave();
  master.signal(18);
  t.equal((await client.answer()).status, 503);
  t.equal(await master.end(), 0);
});

t.test('a router whose master dies before its first word ends too', async (t) => {
  const [ours, theirs] = seqpacketPair();
  const log = memfd('log');
  const pid = launchRouter(theirs, log, '1:1:1');
  for (const fd of [ours, theirs, log]) close(fd);
  t.equal((await deathOf(pid)).exitCode, 0);
});

t.test('it does not start as root', async (t) => {
  for (const identity of ['', '0:0:0', '1:1:', '1:x:1', '1:1:1.5']) {
    const [ours, theirs] = seqpacketPair();
    const log = memfd('log');
    const { exitCode } = await deathOf(launchRouter(theirs, log, identity));
    t.equal(exitCode, 1, JSON.stringify(identity));
    for (const fd of [ours, theirs, log]) close(fd);
  }
});
