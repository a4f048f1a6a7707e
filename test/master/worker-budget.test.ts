import fc from 'fast-check';
import t from 'tap';
import { WorkerBudget } from '../../src/master/worker-budget.js';

const site = { id: 1, site: { name: 'a.test', weight: 1, dispatch: 'router' } } as const;

t.test('never more than the limit, whatever it is changed to', (t) => {
  const step = fc.oneof(fc.constant('take'), fc.constant('give'), fc.integer({ min: 1, max: 6 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let max = 3;
      const budget = new WorkerBudget(max);
      let taken = 0;
      for (const what of steps) {
        if (typeof what === 'number') {
          max = what;
          budget.limit(max, Number.POSITIVE_INFINITY);
        } else if (what === 'give' && taken > 0) {
          budget.give(site);
          taken--;
        } else if (what === 'take') {
          const mayTake = taken < max;
          if (budget.take(site) !== mayTake) return false;
          if (mayTake) taken++;
        }
        if (budget.taken !== taken) return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test('what workers take is learnt, and sets how many there may be', async (t) => {
  const megabyte = 1024 ** 2;
  const budget = new WorkerBudget(100, 100 * megabyte, () => 0);
  t.ok(budget.take(site));
  budget.learn(site, 45 * megabyte);
  t.equal(budget.sizeOf('a.test'), 45 * megabyte);
  t.ok(budget.take(site));
  t.notOk(budget.take(site));
  budget.learn(site, 20 * megabyte);
  t.notOk(budget.take(site), 'the largest counts');
  budget.give(site);
  t.ok(budget.take(site));
});

t.test('each worker has a number of its own, and none has zero', (t) => {
  const budget = new WorkerBudget(1);
  const ids = Array.from({ length: 1000 }, () => budget.nextWorkerId());
  t.equal(new Set(ids).size, 1000);
  t.notOk(ids.includes(0));
  t.equal(ids[0], 1);
  t.end();
});
