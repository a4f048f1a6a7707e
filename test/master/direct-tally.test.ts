import fc from 'fast-check';
import t from 'tap';
import { at, type FigureName, figure, refusalsOf } from '../../src/account/figures.js';
import type { DirectCounters } from '../../src/control/direct-counters.js';
import { DirectTally } from '../../src/master/direct-tally.js';

const idle: DirectCounters = {
  busySinceMs: 0,
  lastEndMs: 0,
  served: 0,
  refused: 0,
  bytesOut: 0,
  lastRefusal: 0,
};
const clocks = { monotonicMs: 50_000, epochMs: 1_700_000_000_000 };

t.test('what the slots hold, added up', (t) => {
  const tally = new DirectTally();
  const of = (name: FigureName): number => figure(tally.figures, name);
  tally.add([{ ...idle, served: 2, bytesOut: 30, lastEndMs: 49_000, busySinceMs: 49_500 }, idle], 2, clocks);
  tally.add(
    [
      { ...idle, served: 5, refused: 3, lastRefusal: 2 },
      { ...idle, refused: 1, lastRefusal: 100 },
    ],
    2,
    clocks,
  );
  t.same([of('served'), of('refused'), of('bytesOut')], [5, 4, 30]);
  t.same([of('busy'), of('idle'), of('maxBusy')], [0, 2, 1]);
  t.same(refusalsOf(tally.figures), { 'script-bad-path': 3, 'no-key': 1 });
  t.equal(of('lastRequestMs'), clocks.epochMs - 1000);
  tally.lost('worker-died', 1);
  tally.lost('time-limit', 2);
  t.same([of('crashed'), of('refused')], [1, 5]);
  t.end();
});

t.test('whatever a site writes into its counters, no figure goes back and none is beyond counting', (t) => {
  const word = fc.oneof(fc.nat(10), fc.bigInt(0n, 2n ** 64n - 1n).map(Number));
  const slot = fc.record({
    busySinceMs: word,
    lastEndMs: word,
    served: word,
    refused: word,
    bytesOut: word,
    lastRefusal: fc.nat(0xffff_ffff),
  });
  const looks = fc.array(fc.array(slot, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(looks, (all) => {
      const tally = new DirectTally();
      let before = tally.figures.slice();
      return all.every((look) => {
        tally.add(look, 2, clocks);
        const now = tally.figures.slice();
        const isSound = now.every(
          (value, i) =>
            Number.isSafeInteger(value) && (i === at.busy || i === at.idle || value >= (before[i] ?? 0)),
        );
        before = now;
        return isSound && (now[at.busy] ?? 3) <= 2 && (now[at.lastRequestMs] ?? 0) <= clocks.epochMs;
      });
    }),
  );
  t.end();
});
