/** A machine without room, as the router has it: who asks, once, and whose workers go. */

import t from 'tap';
import { noteComplete, noteDone } from '../../src/control/worker-messages.js';
import { close } from '../../src/os/socket.js';
import { IdleWorkers } from '../../src/router/idle.js';
import type { RoutedSite } from '../../src/router/routed-site.js';
import type { FakeWorker } from './fake-worker.js';
import { Rig } from './rig.js';

const complete = { type: noteDone, flags: noteComplete, bytesOut: 100 };

/** Has the worker end the request that it runs. */
async function finish(rig: Rig, worker: FakeWorker): Promise<void> {
  const job = worker.job();
  close(job.connection);
  worker.note({ ...complete, sequence: job.sequence });
  await rig.settle();
}

/** Idle workers of a site, in the order in which they became idle. */
async function idle(rig: Rig, site: RoutedSite, count: number): Promise<FakeWorker[]> {
  const workers = Array.from({ length: count }, () => rig.worker(site));
  await rig.settle();
  return workers;
}

t.test('a site that found no room asks once, and again when it is offered some', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 4, spare: 0 });
  const first = rig.admit(site);
  rig.dispatcher.noRoom(site, 1, 'need');
  rig.admit(site);
  rig.admit(site);
  t.equal(rig.demands.length, 1, 'not for each request');
  t.equal(rig.endingOf(first), undefined, 'nobody is refused');
  rig.dispatcher.room(site);
  t.same(rig.demands.slice(1), [{ site: 'a.test', count: 3 }], 'for what it needs by now');
});

t.test('a site whose visitors have left says so, and declines', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 4, spare: 0 });
  const request = rig.admit(site);
  rig.dispatcher.noRoom(site, 1, 'need');
  rig.dispatcher.leave(request.exchange, 'visitor-left');
  t.same(rig.demands.at(-1), { site: 'a.test', count: 0 });
  rig.dispatcher.room(site);
  t.same(rig.demands.length, 3, 'an offer is answered in any case');
  t.same(rig.demands.at(-1), { site: 'a.test', count: 0 });
});

t.test('who waits too long is told that it is the machine, where the site has nothing of it', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 4, spare: 0 });
  const request = rig.admit(site);
  rig.dispatcher.noRoom(site, 1, 'need');
  rig.dispatcher.waitedTooLong(request.exchange);
  t.match(rig.endingOf(request), { kind: 'refused', reason: 'machine-limit' });
});

t.test('the longest idle workers go first, whoever has them; and those that become idle', async (t) => {
  const rig = new Rig(t);
  const told: [number, boolean][] = [];
  const workers = new IdleWorkers(rig.dispatcher, { gaveUp: (count, isAll) => told.push([count, isAll]) });
  const [old, young] = [rig.site(), rig.site()];
  await idle(rig, old, 2);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await idle(rig, young, 2);
  for (const site of [old, young]) workers.watch(site);
  t.teardown(() => {
    for (const site of [old, young]) workers.forget(site);
  });
  workers.give(1, 0);
  t.same([old.pool.idleCount, young.pool.idleCount], [1, 2]);
  workers.give(2, 0);
  t.same([old.pool.idleCount, young.pool.idleCount], [0, 1]);
  workers.give(1, 60_000);
  t.same(
    told,
    [
      [1, false],
      [2, false],
      [0, true],
    ],
    'none has been idle for a minute',
  );
  workers.give(2, 0);
  t.same(told.at(-1), [1, true]);
  const [late] = await idle(rig, old, 1);
  workers.watch(old);
  t.ok(late);
  t.same(told.at(-1), [1, false]);
  t.ok(old.pool.isQuiet && young.pool.isQuiet);
  workers.give(0, 0);
  await idle(rig, old, 1);
  workers.watch(old);
  t.equal(old.pool.idleCount, 1, 'it stays: nobody waits any more');
});

t.test('a busy site gives up one worker at the end of a request, not in the middle', async (t) => {
  const rig = new Rig(t);
  const site = rig.site({ maxWorkers: 2, spare: 0 });
  const workers = await idle(rig, site, 2);
  const requests = [rig.admit(site), rig.admit(site), rig.admit(site)];
  rig.dispatcher.yield(site);
  t.equal(site.pool.busyCount, 2, 'nothing ends now');
  const busy = workers.at(-1) as FakeWorker;
  await finish(rig, busy);
  t.equal(requests.filter((request) => rig.endingOf(request)?.kind === 'done').length, 1);
  t.equal(site.pool.busyCount, 1, 'the next request waits for the other one');
  t.equal(site.pool.queuedCount, 1);
  for (const worker of workers.slice(0, 1)) await finish(rig, worker);
  t.equal(site.pool.busyCount, 1, 'only one was to go');
  close((workers[0] as FakeWorker).job().connection);
});

t.test(
  'a worker that is asked about says once when it is free, and one that is worn goes then',
  async (t) => {
    const rig = new Rig(t);
    const site = rig.site({ maxWorkers: 1, spare: 0 });
    const [worker] = (await idle(rig, site, 1)) as [FakeWorker];
    rig.dispatcher.weigh(site, worker.id);
    t.same(rig.free, [[site.id, worker.id]], 'at once when it is idle');
    rig.admit(site);
    rig.dispatcher.weigh(site, worker.id);
    t.equal(rig.free.length, 1);
    await finish(rig, worker);
    t.equal(rig.free.length, 2);
    rig.admit(site);
    rig.dispatcher.recycle(site, worker.id);
    t.equal(site.pool.busyCount, 1);
    await finish(rig, worker);
    t.ok(site.pool.isQuiet);
    t.equal(rig.free.length, 2, 'nobody has asked again');
  },
);
