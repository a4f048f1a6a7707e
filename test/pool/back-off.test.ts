import fc from 'fast-check';
import t from 'tap';
import { afterFailure, type BackOff, mayTry, noFailure } from '../../src/pool/back-off.js';

function pauses(failures: number): number[] {
  let state: BackOff = noFailure;
  return Array.from({ length: failures }, () => {
    state = afterFailure(state, 1000);
    return state.notBeforeMs - 1000;
  });
}

t.test('each failure in a row doubles the pause, up to half a minute', (t) => {
  t.same(pauses(10), [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  t.end();
});

t.test('a thousand failures do not overflow', (t) => {
  t.equal(pauses(2000).at(-1), 30_000);
  t.end();
});

t.test('who has not failed may try at any time', (t) => {
  t.ok(mayTry(noFailure, 0));
  t.equal(noFailure.failures, 0);
  t.end();
});

t.test('who has failed may try again when the pause is over, not a moment sooner', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 40 }), (steps) => {
      let state: BackOff = noFailure;
      let nowMs = 0;
      for (const [i, step] of steps.entries()) {
        nowMs += step;
        state = afterFailure(state, nowMs);
        const pauseMs = state.notBeforeMs - nowMs;
        if (state.failures !== i + 1 || pauseMs < 200 || pauseMs > 30_000) return false;
        if (mayTry(state, state.notBeforeMs - 1) || !mayTry(state, state.notBeforeMs)) return false;
      }
      return true;
    }),
  );
  t.end();
});
