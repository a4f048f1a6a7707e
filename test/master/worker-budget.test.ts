import fc from 'fast-check';
import t from 'tap';
import { WorkerBudget } from '../../src/master/worker-budget.js';

t.test('never more than the limit, whatever it is changed to', (t) => {
  const step = fc.oneof(fc.constant('take'), fc.constant('give'), fc.integer({ min: 1, max: 6 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const budget = new WorkerBudget(3);
      let taken = 0;
      for (const what of steps) {
        if (typeof what === 'number') budget.max = what;
        else if (what === 'give' && taken > 0) {
          budget.give();
          taken--;
        } else if (what === 'take') {
          const mayTake = taken < budget.max;
          if (budget.take() !== mayTake) return false;
          if (mayTake) taken++;
        }
        if (budget.taken !== taken) return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test('each worker has a number of its own, and none has zero', (t) => {
  const budget = new WorkerBudget(1);
  const ids = Array.from({ length: 1000 }, () => budget.nextWorkerId());
  t.equal(new Set(ids).size, 1000);
  t.notOk(ids.includes(0));
  t.equal(ids[0], 1);
  t.end();
});
