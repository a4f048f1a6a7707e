import t from 'tap';
import { defaultReadLimits } from '../../src/request/limits.js';
import { Patience } from '../../src/request/patience.js';

const limits = { ...defaultReadLimits, maxRecordsWithoutProgress: 2, maxDrainBytes: 100 };

t.test('records in a row, until one brings the request further', async (t) => {
  const patience = new Patience(limits);
  t.same([patience.stray(), patience.stray(), patience.stray()], [undefined, undefined, 'no-progress']);
  patience.progress();
  t.equal(patience.stray(), undefined);
});

t.test('drained bytes add up', async (t) => {
  const patience = new Patience(limits);
  t.same(
    [patience.drained(60), patience.drained(40), patience.drained(1)],
    [undefined, undefined, 'drain-limit'],
  );
  patience.progress();
  t.equal(patience.drained(0), 'drain-limit');
});

t.test('a new request begins anew', async (t) => {
  const patience = new Patience(limits);
  patience.drained(100);
  patience.stray();
  patience.stray();
  patience.renew();
  t.equal(patience.drained(100), undefined);
  t.equal(patience.stray(), undefined);
});
