/** All together have more than they may, because workers have grown or limits have become lower. */

import fc from 'fast-check';
import t from 'tap';
import { lapseMs, Sharing } from '../../src/pool/sharing.js';

const claim = (site: number, canYield = true) => ({ site, weight: 1, bytes: 10, canYield });

/** `has` says how many workers of 10 bytes each site has, from site 1 on. */
function machine(...has: readonly number[]): Sharing {
  const sharing = new Sharing({ maxWorkers: 1000, memoryBytes: 10_000 });
  for (const [i, count] of has.entries()) for (let n = 0; n < count; n++) sharing.take(claim(i + 1), 0);
  return sharing;
}

t.test(
  'workers that have grown: idle ones go first, then busy ones of the site that takes most',
  async (t) => {
    const sharing = machine(4, 2);
    sharing.limits = { maxWorkers: 1000, memoryBytes: 100 };
    t.same(sharing.next(0), { offers: [], shortage: 0, yields: [] });
    t.equal(sharing.wakeMs(0), undefined, 'nothing to look after');
    sharing.weigh(1, 30);
    t.ok(sharing.isOver, '140 of 100');
    t.same(sharing.next(1), { offers: [], shortage: 2, yields: [] }, 'two of 30');
    t.type(sharing.wakeMs(1), 'number');
    sharing.gaveUp(1, true, 1);
    t.same(sharing.next(1).yields, [1], 'one was idle, one is busy');
    t.same(sharing.next(2), { offers: [], shortage: 0, yields: [] }, 'both are coming');
    sharing.give(1);
    sharing.give(1);
    t.notOk(sharing.isOver);
    t.same(sharing.next(3), { offers: [], shortage: 0, yields: [] });
  },
);

t.test('limits that have become lower', async (t) => {
  const sharing = machine(3, 3);
  sharing.limits = { maxWorkers: 4, memoryBytes: 10_000 };
  t.equal(sharing.next(0).shortage, 2);
  sharing.gaveUp(0, true, 0);
  t.same(sharing.next(30).yields, [1, 2], 'one of each');
  t.same(sharing.next(30 + lapseMs).yields, [1, 2], 'again, where none has come');
});

t.test('who waits gets nothing of what is too much', async (t) => {
  const sharing = machine(4);
  sharing.limits = { maxWorkers: 3, memoryBytes: 10_000 };
  sharing.ask(claim(2), 'need', 0);
  t.equal(sharing.next(0).shortage, 2, 'one too many, one for the site that waits');
  sharing.give(1);
  t.same(sharing.next(1).offers, []);
  sharing.give(1);
  t.same(sharing.next(2).offers, [2]);
});

t.test('the last worker of a site stays, and one that cannot yield while it works', async (t) => {
  const sharing = machine(1, 1);
  sharing.take(claim(3, false), 0);
  sharing.take(claim(3, false), 0);
  sharing.limits = { maxWorkers: 1, memoryBytes: 10 };
  sharing.gaveUp(0, true, 0);
  t.same(sharing.next(30), { offers: [], shortage: 0, yields: [] });
});

t.test('whatever they have and take: it fits in the end, or every site has one', async (t) => {
  const sites = fc.array(
    fc.record({ workers: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 99 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  const limits = fc.record({
    maxWorkers: fc.integer({ min: 1, max: 30 }),
    memoryBytes: fc.integer({ min: 1, max: 2000 }),
  });
  fc.assert(
    fc.property(sites, limits, (rows, lower) => {
      const sharing = machine(...rows.map(({ workers }) => workers));
      for (const [i, { bytes }] of rows.entries()) sharing.weigh(i + 1, bytes);
      sharing.limits = lower;
      for (let nowMs = 0; nowMs < 100_000; nowMs += lapseMs) {
        const { shortage, yields } = sharing.next(nowMs);
        if (shortage === 0 && yields.length === 0) break;
        if (shortage > 0) sharing.gaveUp(0, true, nowMs);
        for (const site of yields) sharing.give(site);
      }
      return !sharing.isOver || rows.every((_, i) => sharing.workersOf(i + 1) === 1);
    }),
  );
  t.pass();
});
