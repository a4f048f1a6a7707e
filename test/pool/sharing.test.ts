/** The rules of sharing one by one. What comes of them together: sharing-simulation.test.ts. */

import t from 'tap';
import { type Claim, lapseMs, lookMs, Sharing, turnMs } from '../../src/pool/sharing.js';

const claim = (site: number, more: Partial<Claim> = {}): Claim => ({
  site,
  weight: 1,
  bytes: 10,
  canYield: true,
  ...more,
});

/** A machine for four workers. `has` says how many each site has, from site 1 on. */
function machine(...has: readonly number[]): Sharing {
  const sharing = new Sharing({ maxWorkers: 4, memoryBytes: Number.POSITIVE_INFINITY });
  for (const [i, count] of has.entries())
    for (let n = 0; n < count; n++) if (!sharing.take(claim(i + 1), 0)) throw new Error('no room');
  return sharing;
}

t.test('while there is room nobody is asked for anything', async (t) => {
  const sharing = machine(3);
  t.same(sharing.next(0), { offers: [], shortage: 0, yields: [] });
  t.equal(sharing.wakeMs(0), undefined);
});

t.test(
  'who waits with requests before who wants a spare one; fewest for its weight; then the longest',
  async (t) => {
    const sharing = machine(2, 1, 1);
    sharing.ask(claim(4), 'spare', 0);
    sharing.ask(claim(1), 'need', 1);
    sharing.ask(claim(2), 'need', 2);
    sharing.ask(claim(3), 'need', 3);
    sharing.ask(claim(5, { weight: 2 }), 'need', 4);
    const turns: number[] = [];
    for (let nowMs = 10; nowMs < 15; nowMs++) {
      sharing.limits = { ...sharing.limits, maxWorkers: sharing.workers + 1 };
      const { offers } = sharing.next(nowMs);
      turns.push(...offers);
      for (const site of offers) t.ok(sharing.take(claim(site), nowMs));
    }
    t.same(turns, [5, 2, 3, 1, 4]);
  },
);

t.test('room that is somebody else’s turn is not taken by whoever comes first', async (t) => {
  const sharing = machine(4);
  sharing.ask(claim(2), 'need', 0);
  sharing.give(1);
  t.notOk(sharing.take(claim(3), 1), 'a third one');
  t.notOk(sharing.take(claim(1), 1), 'the one that had it');
  t.same(sharing.next(1).offers, [2]);
  t.notOk(sharing.take(claim(3), 2), 'room is kept');
  t.ok(sharing.take(claim(2), 2));
});

t.test('an offer lapses, and then it is the next one’s turn', async (t) => {
  const sharing = machine(4);
  sharing.ask(claim(2), 'need', 0);
  sharing.ask(claim(3), 'need', 1);
  sharing.give(1);
  t.same(sharing.next(10).offers, [2]);
  t.same(sharing.next(10 + lapseMs - 1).offers, []);
  t.same(sharing.next(10 + lapseMs).offers, [3]);
  sharing.decline(3);
  t.same(sharing.next(11 + lapseMs).offers, [2]);
});

t.test('each idle worker is asked for once, and again when it does not come', async (t) => {
  const sharing = machine(4);
  sharing.ask(claim(2), 'need', 0);
  sharing.ask(claim(3), 'need', 0);
  t.equal(sharing.next(0).shortage, 2);
  sharing.gaveUp(1, false, 1);
  t.equal(sharing.next(1).shortage, 1);
  sharing.give(1);
  t.same(sharing.next(2), { offers: [2], shortage: 1, yields: [] });
  sharing.gaveUp(1, false, 3);
  t.equal(sharing.next(3).shortage, 0);
  const late = sharing.next(3 + lapseMs);
  t.same(
    late,
    { offers: [3], shortage: 1, yields: [] },
    'the offer has lapsed, and the worker has not ended',
  );
});

t.test('who only wants a spare one costs nobody anything', async (t) => {
  const sharing = machine(4);
  sharing.ask(claim(2), 'spare', 0);
  sharing.gaveUp(0, true, 0);
  t.same(sharing.next(turnMs * 3), { offers: [], shortage: 0, yields: [] });
});

t.test('busy sites yield only what leaves them as much as it brings', async (t) => {
  for (const [has, asker, expected] of [
    [[4], 2, [1]],
    [[3, 1], 2, [1]],
    [[2, 2], 2, []],
    [[2, 1, 1], 3, []],
    [[2, 2], 3, [1]],
    [[1, 1, 1, 1], 5, []],
  ] as const) {
    const sharing = machine(...has);
    sharing.ask(claim(asker), 'need', 0);
    t.same(sharing.next(0).yields, [], 'idle ones first');
    sharing.gaveUp(0, true, 0);
    const { yields, shortage } = sharing.next(lookMs);
    t.same(yields, expected, `${has.join(' ')}, and ${asker} asks`);
    t.equal(shortage, 1 - expected.length);
    t.same(sharing.next(2 * lookMs).yields, [], 'once');
  }
});

t.test('a heavy one may have more, and a program gives up nothing that works', async (t) => {
  const sharing = new Sharing({ maxWorkers: 4, memoryBytes: Number.POSITIVE_INFINITY });
  for (let n = 0; n < 4; n++) t.ok(sharing.take(claim(1, { weight: 4 }), 0));
  sharing.ask(claim(2), 'need', 0);
  sharing.gaveUp(0, true, 0);
  t.same(sharing.next(lookMs).yields, [], 'three for weight 4 are less than one for weight 1');
  const other = new Sharing({ maxWorkers: 1, memoryBytes: Number.POSITIVE_INFINITY });
  t.ok(other.take(claim(1, { canYield: false }), 0));
  other.ask(claim(2), 'need', 0);
  other.gaveUp(0, true, 0);
  t.same(other.next(10 * turnMs).yields, []);
});

t.test('more sites than room: who has had its worker for a turn gives it up', async (t) => {
  const sharing = machine(1, 1, 1, 1);
  sharing.ask(claim(5), 'need', 0);
  sharing.gaveUp(0, true, 0);
  t.same(sharing.next(turnMs - 1).yields, []);
  t.same(sharing.next(turnMs + lookMs).yields, [1]);
  t.same(sharing.next(turnMs + 3 * lookMs).yields, [], 'one for one');
});

t.test('memory', async (t) => {
  const sharing = new Sharing({ maxWorkers: 100, memoryBytes: 100 });
  t.ok(sharing.take(claim(1, { bytes: 500 }), 0), 'one that is larger than everything runs alone');
  t.notOk(sharing.take(claim(2), 0));
  sharing.give(1);
  for (let n = 0; n < 10; n++) t.ok(sharing.take(claim(2), 0));
  t.notOk(sharing.take(claim(2), 0));
  sharing.weigh(2, 5);
  t.equal(sharing.bytes, 50);
  t.ok(sharing.take(claim(2), 0), 'they are smaller than it seemed');
});
