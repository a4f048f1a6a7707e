import fc from 'fast-check';
import t from 'tap';
import { LineBudget } from '../../src/account/line-budget.js';

t.test('so many lines a second, and then the number of those left out', (t) => {
  const budget = new LineBudget(2);
  t.same([budget.take(0), budget.take(10), budget.take(20), budget.take(999)], [0, 0, undefined, undefined]);
  t.equal(budget.take(1000), 2);
  t.equal(budget.take(1001), 0, 'told once');
  t.equal(budget.take(1002), undefined);
  t.equal(budget.take(60_000), 1, 'however long nothing was written');
  t.end();
});

t.test('whatever comes: no more than allowed, and every line is written or counted', (t) => {
  const steps = fc.array(fc.nat(400), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), steps, (perSecond, pauses) => {
      const budget = new LineBudget(perSecond);
      const written: number[] = [];
      let nowMs = 5000;
      let toldLeftOut = 0;
      let leftOut = 0;
      for (const pause of pauses) {
        nowMs += pause;
        const left = budget.take(nowMs);
        if (left === undefined) leftOut++;
        else {
          written.push(nowMs);
          toldLeftOut += left;
          if (toldLeftOut !== leftOut) return false;
        }
      }
      // Two windows can touch: in any second there are no more lines than two budgets.
      const inSecond = (at: number) => written.filter((ms) => ms >= at && ms < at + 1000).length;
      return written.every((at) => inSecond(at) <= 2 * perSecond) && written.length > 0;
    }),
  );
  t.end();
});
