import fc from 'fast-check';
import t from 'tap';
import { type Wear, wornOut } from '../../src/pool/recycling.js';

const wear = (worker: number, ageMs: number, bytes: number): Wear => ({ worker, ageMs, bytes });

t.test('the largest that is too large goes before the oldest that is too old', async (t) => {
  const all = [wear(1, 500, 10), wear(2, 900, 20), wear(3, 100, 30)];
  t.same(wornOut(all, { maxAgeMs: 400, maxMemoryBytes: 15 }), { worker: 3, reason: 'memory' });
  t.same(wornOut(all, { maxAgeMs: 400, maxMemoryBytes: 30 }), { worker: 2, reason: 'age' });
  t.equal(wornOut(all, { maxAgeMs: 900, maxMemoryBytes: 30 }), undefined);
  t.equal(wornOut(all, { maxAgeMs: 0, maxMemoryBytes: 0 }), undefined, '0 is no limit');
  t.equal(wornOut([], { maxAgeMs: 1, maxMemoryBytes: 1 }), undefined);
});

t.test('whoever is chosen is over a limit, and nobody is while nobody is over one', async () => {
  const one = fc.record({ worker: fc.nat(), ageMs: fc.nat(100), bytes: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(one), fc.nat(100), fc.nat(100), (all, maxAgeMs, maxMemoryBytes) => {
      const isOver = ({ ageMs, bytes }: Wear): boolean =>
        (maxAgeMs > 0 && ageMs > maxAgeMs) || (maxMemoryBytes > 0 && bytes > maxMemoryBytes);
      const found = wornOut(all, { maxAgeMs, maxMemoryBytes });
      if (found === undefined) return !all.some(isOver);
      return all.some((wear) => wear.worker === found.worker && isOver(wear));
    }),
  );
});
