import fc from 'fast-check';
import t from 'tap';
import { quantile, stepCount, stepEndsMs, stepOf, totalOf } from '../../src/account/histogram.js';

t.test('steps go up, and each time has the first that it does not exceed', (t) => {
  t.same(
    [...stepEndsMs].sort((a, b) => a - b),
    stepEndsMs,
  );
  t.equal(new Set(stepEndsMs).size, stepCount - 1);
  for (const [i, end] of stepEndsMs.entries()) t.equal(stepOf(end), i, `${end} ms`);
  t.equal(stepOf(0), 0);
  t.equal(stepOf(Number.POSITIVE_INFINITY), stepCount - 1);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (ms) => {
      const step = stepOf(ms);
      return ms <= (stepEndsMs[step] ?? Infinity) && (step === 0 || ms > (stepEndsMs[step - 1] ?? 0));
    }),
  );
  t.end();
});

t.test('a quantile lies in the step where it belongs', (t) => {
  const times = fc.array(fc.double({ min: 0.1, max: 500_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(times, fc.constantFrom(0.5, 0.9, 0.99, 1), (sample, q) => {
      const counts = new Float64Array(stepCount);
      for (const ms of sample) {
        const step = stepOf(ms);
        counts[step] = (counts[step] ?? 0) + 1;
      }
      const sorted = [...sample].sort((a, b) => a - b);
      const exact = sorted[Math.ceil(q * sorted.length - 1e-9) - 1] ?? 0;
      const step = stepOf(exact);
      const found = quantile(counts, q) ?? -1;
      return (
        totalOf(counts) === sample.length &&
        found >= (stepEndsMs[step - 1] ?? 0) - 1e-6 &&
        found <= (stepEndsMs[step] ?? Infinity) + 1e-6
      );
    }),
  );
  t.equal(quantile(new Float64Array(stepCount), 0.5), undefined, 'of nothing there is none');
  const slow = new Float64Array(stepCount);
  slow[stepCount - 1] = 1;
  t.equal(quantile(slow, 0.5), 600_000, 'what is longer than the longest step is at least that');
  t.end();
});
