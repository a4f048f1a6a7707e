/** States × events, as in the table of src/pool/site-pool.ts. */

import t from 'tap';
import { type PoolLimits, SitePool } from '../../src/pool/site-pool.js';

const usual: PoolLimits = { oneJob: false, maxWorkers: 4, spare: 0, queueLength: 10, maxRequests: 0 };

function poolWith(limits: Partial<PoolLimits> = {}): SitePool<string> {
  return new SitePool<string>({ ...usual, ...limits });
}

/** A pool whose workers 1 to `workers` are idle, the last one most recently. */
function idlePool(workers: number, limits: Partial<PoolLimits> = {}): SitePool<string> {
  const pool = poolWith(limits);
  for (let id = 1; id <= workers; id++) pool.arrived(id, id * 1000);
  return pool;
}

function counts(pool: SitePool<string>) {
  const { idleCount, busyCount, startingCount, queuedCount } = pool;
  return { idle: idleCount, busy: busyCount, starting: startingCount, queued: queuedCount };
}

t.test('asked for × arrived', (t) => {
  const pool = poolWith();
  pool.admit('a');
  pool.admit('b');
  t.equal(pool.want(), 2);
  t.same(counts(pool), { idle: 0, busy: 0, starting: 2, queued: 2 });
  t.same(pool.arrived(7, 0), { kind: 'run', ticket: 'a' });
  t.equal(pool.ticketOf(7), 'a');
  t.ok(pool.leave('b'));
  t.same(pool.arrived(8, 0), { kind: 'idle' });
  t.equal(pool.ticketOf(8), undefined);
  t.same(counts(pool), { idle: 1, busy: 1, starting: 0, queued: 0 });
  t.same(pool.arrived(9, 0), { kind: 'idle' }, 'one that nobody has asked for is welcome');
  t.equal(pool.startingCount, 0);
  t.end();
});

t.test('asked for × not given', (t) => {
  const pool = poolWith();
  for (const ticket of ['a', 'b', 'c']) pool.admit(ticket);
  pool.want();
  pool.notGiven(2);
  t.same(counts(pool), { idle: 0, busy: 0, starting: 1, queued: 3 });
  t.equal(pool.want(), 2, 'and may be asked for again');
  pool.notGiven(10);
  t.equal(pool.startingCount, 0, 'never below zero');
  t.end();
});

t.test('idle × admit', (t) => {
  const pool = idlePool(3);
  t.same(pool.admit('a'), { kind: 'run', worker: 3 }, 'the one that worked last');
  t.same(pool.admit('b'), { kind: 'run', worker: 2 });
  pool.done(3, 9000);
  t.same(pool.admit('c'), { kind: 'run', worker: 3 });
  t.same(counts(pool), { idle: 1, busy: 2, starting: 0, queued: 0 });
  t.end();
});

t.test('idle × too long', (t) => {
  const pool = idlePool(3);
  t.equal(pool.idleSinceMs, 1000);
  t.same(pool.retireIdle(999), []);
  t.same(pool.retireIdle(2000), [1, 2]);
  t.same(counts(pool), { idle: 1, busy: 0, starting: 0, queued: 0 });
  t.equal(pool.idleSinceMs, 3000);
  t.same(pool.retireIdle(Number.POSITIVE_INFINITY), [3]);
  t.equal(pool.idleSinceMs, undefined);
  t.ok(pool.isQuiet);
  t.end();
});

t.test('idle × done: nothing, for it runs nothing', (t) => {
  const pool = idlePool(1);
  t.same(pool.done(1, 5000), { kind: 'idle' });
  t.same(counts(pool), { idle: 1, busy: 0, starting: 0, queued: 0 });
  t.equal(pool.idleSinceMs, 1000, 'it has been idle all the time');
  t.same(pool.admit('a'), { kind: 'run', worker: 1 });
  t.end();
});

t.test('busy × done', (t) => {
  const pool = idlePool(1);
  pool.admit('a');
  pool.admit('b');
  t.same(pool.done(1, 5000), { kind: 'run', ticket: 'b' });
  t.equal(pool.ticketOf(1), 'b');
  t.same(pool.done(1, 6000), { kind: 'idle' });
  t.equal(pool.idleSinceMs, 6000);
  t.end();
});

t.test('busy × done, its last request', (t) => {
  const pool = idlePool(1, { maxRequests: 2 });
  pool.admit('a');
  pool.done(1, 5000);
  pool.admit('b');
  pool.admit('c');
  t.same(pool.done(1, 6000), { kind: 'retire' }, 'though somebody waits');
  t.same(counts(pool), { idle: 0, busy: 0, starting: 0, queued: 1 });
  t.equal(pool.want(), 1, 'for whom another one comes');
  t.end();
});

t.test('busy × done, where each worker has one request', (t) => {
  const pool = idlePool(1, { oneJob: true });
  pool.admit('a');
  pool.admit('b');
  t.same(pool.done(1, 5000), { kind: 'retire' });
  t.same(pool.done(1, 5000), { kind: 'retire' }, 'whom the pool does not know is of no use to it');
  t.end();
});

t.test('busy, idle × gone', (t) => {
  const pool = idlePool(3);
  pool.admit('a');
  t.equal(pool.gone(3), 'a');
  t.equal(pool.gone(1), undefined);
  t.equal(pool.gone(1), undefined, 'only once');
  t.same(counts(pool), { idle: 1, busy: 0, starting: 0, queued: 0 });
  t.same(pool.admit('b'), { kind: 'run', worker: 2 });
  t.same(pool.admit('c'), { kind: 'wait' }, 'one that has gone is not used');
  t.end();
});

t.test('who waits, and until when', (t) => {
  const pool = poolWith({ maxWorkers: 1, queueLength: 2 });
  t.same(pool.admit('a'), { kind: 'wait' });
  t.same(pool.admit('b'), { kind: 'wait' });
  t.same(pool.admit('c'), { kind: 'full' });
  t.same([...pool.waiting()], ['a', 'b']);
  t.ok(pool.leave('a'));
  t.notOk(pool.leave('a'), 'only once');
  t.notOk(pool.leave('c'), 'who was never let in cannot leave');
  t.same(pool.admit('d'), { kind: 'wait' });
  t.same([...pool.waiting()], ['b', 'd']);
  t.end();
});

t.test('without a queue those wait whose worker can be started, and nobody else', (t) => {
  const pool = poolWith({ maxWorkers: 2, queueLength: 0 });
  t.same(pool.admit('a'), { kind: 'wait' });
  t.same(pool.admit('b'), { kind: 'wait' });
  t.same(pool.admit('c'), { kind: 'full' });
  t.equal(pool.want(), 2);
  pool.arrived(1, 0);
  t.same(pool.admit('c'), { kind: 'full' }, 'b waits for the only one that is coming');
  pool.arrived(2, 0);
  t.same(pool.admit('c'), { kind: 'full' });
  pool.gone(1);
  t.same(pool.admit('c'), { kind: 'wait' });
  t.end();
});

t.test('how many to ask for', (t) => {
  const cold = poolWith({ maxWorkers: 3 });
  t.equal(cold.want(), 0, 'nothing for an idle site');
  for (const ticket of ['a', 'b', 'c', 'd', 'e']) cold.admit(ticket);
  t.equal(cold.want(), 3, 'no more than there may be');
  t.equal(cold.want(), 0, 'and only once');
  const warm = idlePool(2, { maxWorkers: 8, spare: 2 });
  t.equal(warm.want(), 0, 'no spare while nobody works');
  warm.admit('a');
  t.equal(warm.want(), 1, 'two idle ones beside the busy one');
  t.equal(warm.want(), 0);
  warm.admit('b');
  warm.admit('c');
  t.equal(warm.want(), 2, 'one for whom waits, two spare, one is coming');
  const oneJob = poolWith({ oneJob: true, maxWorkers: 4 });
  oneJob.admit('a');
  t.equal(oneJob.want(), 2, 'one ahead, so that the next visitor need not wait for a fork');
  t.end();
});

t.test('new limits hold for what comes', (t) => {
  const pool = idlePool(3, { maxWorkers: 3 });
  for (const ticket of ['a', 'b', 'c', 'd']) pool.admit(ticket);
  pool.limits = { ...usual, maxWorkers: 1, queueLength: 1 };
  t.equal(pool.want(), 0);
  t.same(pool.admit('e'), { kind: 'full' });
  pool.limits = { ...usual, maxWorkers: 5, queueLength: 2 };
  t.same(pool.admit('e'), { kind: 'wait' });
  t.equal(pool.want(), 2);
  t.end();
});
