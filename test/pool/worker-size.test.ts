import t from 'tap';
import { learn } from '../../src/pool/worker-size.js';

const hour = 3_600_000;

t.test('the largest that was seen, slowly forgotten', async (t) => {
  const first = learn(undefined, 100, 0);
  t.same(first, { bytes: 100, atMs: 0 });
  t.equal(learn(first, 300, 1)?.bytes, 300, 'more counts at once');
  t.equal(learn(first, 50, 0)?.bytes, 100);
  t.equal(learn(first, 50, hour)?.bytes, 75, 'half of the rest in an hour');
  t.equal(learn(first, 50, 100 * hour)?.bytes, 50);
});

t.test('what could not be read teaches nothing', async (t) => {
  t.equal(learn(undefined, 0, 0), undefined);
  const before = { bytes: 5, atMs: 0 };
  t.equal(learn(before, 0, hour), before);
});
