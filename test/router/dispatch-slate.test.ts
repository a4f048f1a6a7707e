/** Workers with a slate: most requests end without a message, and every end is found all the same. */

import t, { type Test } from 'tap';
import { slateBytes } from '../../src/control/slate.js';
import { noteComplete, noteDone, noteStarted } from '../../src/control/worker-messages.js';
import { close } from '../../src/os/socket.js';
import type { RoutedSite } from '../../src/router/routed-site.js';
import { type FakeWorker, type Job, wantedOn, writeSlate } from './fake-worker.js';
import { Rig } from './rig.js';

const done = { type: noteDone, flags: noteComplete, bytesOut: 100 };

class SlateRig extends Rig {
  readonly memory = new ArrayBuffer(4 * slateBytes);

  /** A site whose workers have slates, and the worker that has the slate of this number. */
  withWorkers(count: number): { site: RoutedSite; workers: FakeWorker[] } {
    const site = this.site({ maxWorkers: count });
    site.slates = this.memory;
    const workers = Array.from({ length: count }, (_, slot) => this.worker(site, site.slateAt(slot)));
    return { site, workers };
  }

  end(slot: number, job: Job): void {
    close(job.connection);
    writeSlate(this.memory, slot, { ...done, sequence: job.sequence });
  }
}

function one(t: Test): { rig: SlateRig; site: RoutedSite; worker: FakeWorker } {
  const rig = new SlateRig(t);
  const { site, workers } = rig.withWorkers(1);
  return { rig, site, worker: workers[0] as FakeWorker };
}

t.test('the next request finds that the last one is over, and takes its worker', async (t) => {
  const { rig, site, worker } = one(t);
  const first = rig.admit(site);
  const job = worker.job();
  t.not(wantedOn(rig.memory, 0), job.sequence, 'nobody waits for its end');
  rig.end(0, job);
  await rig.settle();
  t.equal(rig.endingOf(first), undefined, 'nothing has woken the router');
  const second = rig.admit(site);
  t.match(rig.endingOf(first), { kind: 'done', note: { bytesOut: 100 } });
  t.equal(second.exchange.state, 'running');
  close(worker.job().connection);
});

t.test('a request that waits is told as soon as a worker is free', async (t) => {
  const { rig, site, worker } = one(t);
  rig.admit(site);
  const job = worker.job();
  const second = rig.admit(site);
  t.equal(second.exchange.state, 'waiting');
  t.equal(wantedOn(rig.memory, 0), job.sequence);
  rig.end(0, job);
  worker.note({ ...done, sequence: job.sequence });
  await rig.settle();
  t.equal(second.exchange.state, 'running');
  const next = worker.job();
  t.equal(wantedOn(rig.memory, 0), job.sequence, 'and then nobody waits any more');
  rig.end(0, next);
  rig.dispatcher.lookAt(site);
  t.equal(rig.endingOf(second)?.kind, 'done');
});

t.test('while others wait, the end of each is told', (t) => {
  const { rig, site, worker } = one(t);
  const requests = [rig.admit(site), rig.admit(site), rig.admit(site)];
  rig.end(0, worker.job());
  rig.dispatcher.lookAt(site);
  const job = worker.job();
  t.equal(wantedOn(rig.memory, 0), job.sequence);
  t.equal(requests[1]?.exchange.state, 'running');
  t.equal(requests[2]?.exchange.state, 'waiting');
  close(job.connection);
  t.end();
});

t.test('it may be over at the very moment at which somebody begins to wait', (t) => {
  const { rig, site, worker } = one(t);
  const first = rig.admit(site);
  rig.end(0, worker.job());
  rig.dispatcher.wantNote(first.exchange);
  t.equal(rig.endingOf(first)?.kind, 'done');
  t.equal(site.pool.idleCount, 1);
  t.end();
});

t.test('an end that is told twice counts once', async (t) => {
  const { rig, site, worker } = one(t);
  const first = rig.admit(site);
  const job = worker.job();
  rig.end(0, job);
  rig.dispatcher.lookAt(site);
  const second = rig.admit(site);
  worker.note({ ...done, sequence: job.sequence });
  await rig.settle();
  rig.dispatcher.lookAtAll();
  t.equal(rig.endingOf(first)?.kind, 'done');
  t.equal(rig.endingOf(second), undefined);
  close(worker.job().connection);
});

t.test('a worker that dies after its request costs nothing', async (t) => {
  const { rig, site, worker } = one(t);
  const first = rig.admit(site);
  rig.end(0, worker.job());
  worker.die();
  await rig.settle();
  t.equal(rig.endingOf(first)?.kind, 'done');
  t.equal(site.running.size, 0);
  t.ok(site.pool.isQuiet);
});

t.test('the master’s word that it is dead comes first', (t) => {
  const { rig, site, worker } = one(t);
  const first = rig.admit(site);
  rig.end(0, worker.job());
  rig.dispatcher.workerGone(worker.id);
  t.equal(rig.endingOf(first)?.kind, 'done');
  t.ok(site.pool.isQuiet);
  t.end();
});

t.test('a worker that dies in the middle of an answer', async (t) => {
  for (const hasBegun of [false, true]) {
    const { rig, site, worker } = one(t);
    const request = rig.admit(site);
    const job = worker.job();
    close(job.connection);
    if (hasBegun) writeSlate(rig.memory, 0, { type: noteStarted, sequence: job.sequence });
    worker.die();
    await rig.settle();
    t.match(rig.endingOf(request), { kind: hasBegun ? 'cut' : 'refused', reason: 'worker-died' });
  }
});

t.test('the worker that is taken is one of those that are free, whatever is known of them', (t) => {
  const rig = new SlateRig(t);
  const { site, workers } = rig.withWorkers(3);
  const running = workers.map(() => rig.admit(site));
  const jobs = new Map(workers.map((worker, slot) => [slot, worker.job()]));
  rig.end(1, jobs.get(1) as Job);
  const next = rig.admit(site);
  t.equal(next.exchange.worker, workers[1]?.id);
  t.same(
    running.map((request) => rig.endingOf(request)?.kind).filter((kind) => kind === 'done'),
    ['done'],
  );
  for (const slot of [0, 2]) close((jobs.get(slot) as Job).connection);
  close((workers[1] as FakeWorker).job().connection);
  t.end();
});

t.test('ends that were found before their messages were read do not count against the worker', async (t) => {
  const { rig, site, worker } = one(t);
  const requests = Array.from({ length: 10 }, () => rig.admit(site));
  for (const request of requests) {
    const job = worker.job();
    rig.end(0, job);
    worker.note({ ...done, sequence: job.sequence });
    rig.dispatcher.lookAt(site);
    t.equal(rig.endingOf(request)?.kind, 'done');
  }
  const last = rig.admit(site);
  await rig.settle();
  t.equal(rig.endingOf(last), undefined);
  t.same(rig.kills, [], 'though ten of them lay there at once');
  close(worker.job().connection);
});
