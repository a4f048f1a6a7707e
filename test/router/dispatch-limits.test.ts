/** Who waits, for how long, and what happens when there is no worker or no more time. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  jobMaxBytes,
  noteBytes,
  noteComplete,
  noteDone,
  noteLast,
} from '../../src/control/worker-messages.js';
import { close } from '../../src/os/socket.js';
import { socketCount } from '../os/running.js';
import { noteOf } from './fake-worker.js';
import { Rig } from './rig.js';

const complete = { type: noteDone, flags: noteComplete, bytesOut: 100 };

t.test('one more than may wait', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1, queueLength: 2 });
  const waiting = [rig.admit(site), rig.admit(site)];
  const tooMany = rig.admit(site);
  t.match(rig.endingOf(tooMany), { kind: 'refused', reason: 'queue-full' });
  t.equal(tooMany.exchange.state, 'over');
  for (const request of waiting) t.equal(rig.endingOf(request), undefined);
});

t.test('who leaves the queue is not run', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const [first, second] = [rig.admit(site), rig.admit(site)];
  rig.dispatcher.leave(first.exchange, 'visitor-left');
  t.match(rig.endingOf(first), { kind: 'refused', reason: 'visitor-left' });
  const worker = rig.worker(site);
  t.equal(second.exchange.state, 'running');
  rig.dispatcher.leave(second.exchange, 'queue-timeout');
  t.equal(rig.endingOf(second), undefined, 'who runs cannot leave it any more');
  close(worker.job().connection);
});

t.test('without a worker, and without any that could still come', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 2 });
  const [first, second] = [rig.admit(site), rig.admit(site)];
  rig.dispatcher.notGiven(site, 1, 'start-failed');
  t.same(rig.endings, [], 'one may still come');
  rig.dispatcher.notGiven(site, 1, 'machine-limit');
  for (const request of [first, second]) {
    t.match(rig.endingOf(request), { kind: 'refused', reason: 'machine-limit' });
  }
  const worker = rig.worker(site);
  const [third, fourth] = [rig.admit(site), rig.admit(site)];
  rig.dispatcher.notGiven(site, 2, 'machine-limit');
  t.equal(rig.endingOf(fourth), undefined, 'a busy worker will have time');
  const job = worker.job();
  close(job.connection);
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.equal(rig.endingOf(third)?.kind, 'done');
  t.equal(fourth.exchange.state, 'running');
  close(worker.job().connection);
});

t.test('a time-out kills the worker and ends the request with it', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const slow = rig.admit(site);
  const waits = rig.admit(site);
  close(worker.job().connection);
  rig.dispatcher.stop(slow.exchange, 'time-limit');
  t.same(rig.kills, [worker.id]);
  t.equal(rig.endingOf(slow), undefined, 'not before it is dead');
  worker.die();
  await rig.settle();
  t.match(rig.endingOf(slow), { kind: 'refused', reason: 'time-limit' });
  t.same(rig.demands.at(-1), { site: 'a.test', count: 1 }, 'for the one who waits');
  t.equal(waits.exchange.state, 'waiting');
});

t.test('a worker that is being killed gets nothing else to do', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const slow = rig.admit(site);
  const waits = rig.admit(site);
  const job = worker.job();
  close(job.connection);
  rig.dispatcher.stop(slow.exchange, 'time-limit');
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.equal(rig.endingOf(slow)?.kind, 'done', 'just in time');
  t.equal(worker.take(), undefined);
  t.equal(waits.exchange.state, 'waiting', 'for another worker');
  t.same(rig.demands.at(-1), { site: 'a.test', count: 1 });
  rig.dispatcher.workerGone(worker.id);
  t.equal(rig.endingOf(waits), undefined);
});

t.test('a worker that says that it ends gets nothing else to do', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const first = rig.admit(site);
  const waits = rig.admit(site);
  const job = worker.job();
  close(job.connection);
  worker.note({ ...complete, flags: complete.flags | noteLast, sequence: job.sequence });
  await rig.settle();
  t.equal(rig.endingOf(first)?.kind, 'done');
  t.equal(worker.take(), undefined);
  t.equal(waits.exchange.state, 'waiting', 'for another worker');
  t.same(rig.demands.at(-1), { site: 'a.test', count: 1 });
});

t.test('a worker that cannot die does not keep its visitor', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const slow = rig.admit(site);
  close(worker.job().connection);
  rig.dispatcher.stop(slow.exchange, 'time-limit');
  rig.dispatcher.abandon(slow.exchange);
  t.match(rig.endingOf(slow), { kind: 'refused', reason: 'time-limit' });
  t.equal(site.pool.busyCount, 0);
  rig.dispatcher.workerGone(worker.id);
  rig.dispatcher.abandon(slow.exchange);
});

t.test('a worker that died idle costs nobody a request', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 2 });
  const [other, dead] = [rig.worker(site), rig.worker(site)];
  dead.die();
  const first = rig.admit(site);
  t.equal(first.exchange.state, 'running', 'on the other one');
  close(other.job().connection);
  const second = rig.worker(site);
  second.die();
  const before = socketCount();
  const body = { kind: 'memory', buffer: Buffer.from('body'), length: 4 } as const;
  const waits = rig.admit(site, { keep: true, body });
  t.equal(socketCount(), before + 2 - 1, 'its own two, and the dead channel is closed');
  t.equal(waits.exchange.state, 'waiting', 'and where there is no other one it waits');
  t.same(rig.demands.at(-1), { site: 'a.test', count: 1 });
  const job = rig.worker(site).job();
  t.same(job.params, waits.exchange.head.params);
  t.same(job.body.toString(), 'body');
  close(job.connection);
  t.same(rig.endings, []);
});

t.test('a stray child that holds the channel keeps nothing', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const first = rig.admit(site);
  const second = rig.admit(site);
  close(worker.job().connection);
  rig.dispatcher.workerGone(worker.id);
  t.match(rig.endingOf(first), { kind: 'refused', reason: 'worker-died' });
  t.ok(worker.isLetGo, 'its channel is closed');
  t.same(
    rig.demands.at(-1),
    { site: 'a.test', count: 1 },
    'a new worker is asked for, for the one who waits',
  );
  const other = rig.worker(site);
  t.equal(second.exchange.state, 'running');
  const job = other.job();
  close(job.connection);
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.equal(rig.endingOf(second), undefined, 'and nobody hears the child');
});

t.test('a worker that is dead gets nothing else to do, whoever holds its channel', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1 });
  const worker = rig.worker(site);
  const [first, waits] = [rig.admit(site), rig.admit(site)];
  const job = worker.job();
  close(job.connection);
  worker.note({ ...complete, sequence: job.sequence });
  rig.dispatcher.workerGone(worker.id);
  t.equal(rig.endingOf(first)?.kind, 'done');
  t.equal(worker.take(), undefined);
  t.equal(waits.exchange.state, 'waiting');
  t.same(rig.demands.at(-1), { site: 'a.test', count: 1 });
});

t.test('a worker retires after its last request, and another one comes', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 1, maxRequests: 1 });
  const worker = rig.worker(site);
  rig.admit(site);
  const waits = rig.admit(site);
  const job = worker.job();
  close(job.connection);
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
  t.ok(worker.isLetGo);
  t.same(rig.demands, [{ site: 'a.test', count: 1 }]);
  close(rig.worker(site).job().connection);
  t.equal(waits.exchange.state, 'running');
});

t.test('a site that has been taken out is forgotten with its last request', async (t) => {
  for (const config of [{ mode: 'per-request' }, { maxRequests: 1 }] as const) {
    const rig = new Rig(t);
    const site = rig.site(config);
    const workers = [rig.worker(site), rig.worker(site)];
    while (site.pool.busyCount < workers.length) rig.admit(site);
    rig.dispatcher.notGiven(site, site.pool.startingCount, 'stopping');
    site.isClosing = true;
    rig.changed.length = 0;
    rig.demands.length = 0;
    for (const worker of workers) {
      const job = worker.job();
      close(job.connection);
      worker.note({ ...complete, sequence: job.sequence });
      await rig.settle();
      site.pool.ended(worker.id);
    }
    t.ok(site.pool.isQuiet);
    t.same(rig.changed, ['a.test', 'a.test'], 'somebody is told each time');
    t.same(rig.demands, [], 'and no worker is asked for');
  }
});

t.test('a job that is too large for its channel costs its own request, not the worker', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  // More than the kernel takes in one message, and more than a worker does.
  const kernelBytes = Number(readFileSync('/proc/sys/net/core/wmem_default', 'utf8'));
  for (const bytes of [Math.min(kernelBytes, jobMaxBytes), jobMaxBytes]) {
    const params = { SCRIPT_FILENAME: '/srv/a.php', HTTP_COOKIE: 'x'.repeat(bytes) };
    const refused = rig.admit(site, { params, keep: true });
    t.match(rig.endingOf(refused), { kind: 'refused', reason: 'params-too-large' });
    t.equal(worker.take(), undefined);
  }
  const next = rig.admit(site);
  t.equal(next.exchange.state, 'running', 'on the same worker');
  close(worker.job().connection);
});

t.test('a worker that talks without end is heard for a while only', async (t) => {
  const rig = new Rig(t);
  const site = rig.site();
  const worker = rig.worker(site);
  const request = rig.admit(site);
  close(worker.job().connection);
  const nothing = noteOf({ type: 1, sequence: 0 });
  while (worker.say(nothing) === noteBytes);
  await rig.settle();
  t.match(rig.endingOf(request), { kind: 'refused', reason: 'worker-died' });
  t.same(rig.kills, [worker.id]);
});
