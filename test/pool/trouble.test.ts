import fc from 'fast-check';
import t from 'tap';
import { mayTry } from '../../src/pool/back-off.js';
import { afterEvent, isHopeless, noTrouble, type TroubleEvent } from '../../src/pool/trouble.js';

const after = (...events: TroubleEvent[]) =>
  events.reduce((state, event) => afterEvent(state, event, 1000), noTrouble);

t.test('failures in a row, each with a longer pause, until it is hopeless', async (t) => {
  const twice = after('start-failed', 'worker-crashed');
  t.equal(twice.failures, 2);
  t.notOk(mayTry(twice, 1199));
  t.ok(mayTry(twice, 1200), 'a crash of a worker keeps nobody waiting');
  t.ok(mayTry(after('start-failed', 'start-failed'), 1400));
  t.notOk(isHopeless(twice, 3));
  t.ok(isHopeless(twice, 2));
  t.notOk(isHopeless(twice, 0), 'never');
});

t.test('what has worked ends the row, and crashes of workers count no more', async (t) => {
  t.equal(after('start-failed', 'start-failed', 'served').failures, 0);
  t.equal(after('served', 'worker-crashed', 'worker-crashed').failures, 0);
  t.equal(after('served', 'worker-crashed', 'start-failed').failures, 1);
});

t.test('a worker that was forked ends a row of failed starts, not one of crashes', async (t) => {
  t.equal(after('start-failed', 'start-failed', 'forked').failures, 0);
  t.equal(after('forked', 'worker-crashed', 'forked', 'worker-crashed', 'forked').failures, 2);
});

t.test('whatever happens: the row is as long as what has failed since something worked', async () => {
  const event = fc.constantFrom<TroubleEvent>('start-failed', 'worker-crashed', 'forked', 'served');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const hasServed = events.includes('served');
      let row: TroubleEvent[] = [];
      for (const [i, one] of events.entries()) {
        const isCrash = one === 'worker-crashed';
        if (one === 'served' || (one === 'forked' && row.at(-1) === 'start-failed')) row = [];
        else if (one !== 'forked' && !(isCrash && events.slice(0, i).includes('served'))) row.push(one);
      }
      const state = after(...events);
      return state.failures === row.length && state.hasServed === hasServed;
    }),
  );
});
