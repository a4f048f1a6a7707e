/**
 * Whatever happens in whatever order: no worker is lost, none has two requests, no limit is exceeded, every request
 * ends exactly once, the queue is first come, first served, and nobody who waits is forgotten. world.ts says how.
 */

import fc from 'fast-check';
import t from 'tap';
import type { PoolLimits } from '../../src/pool/site-pool.js';
import { numbers } from './chance.js';
import type { EventName } from './history.js';
import { World } from './world.js';

const events: readonly EventName[] = [
  ...Array.from({ length: 10 }, () => 'admit' as const),
  ...Array.from({ length: 8 }, () => 'done' as const),
  ...Array.from({ length: 4 }, () => 'arrived' as const),
  'notGiven',
  'noRoom',
  'room',
  'yield',
  'keep',
  'wearOut',
  'ended',
  'gone',
  'leave',
  'retireIdle',
];

const limits: fc.Arbitrary<PoolLimits> = fc.record({
  oneJob: fc.boolean(),
  maxWorkers: fc.integer({ min: 1, max: 6 }),
  spare: fc.nat(3),
  queueLength: fc.nat(8),
  maxRequests: fc.nat(5),
});

t.test('short histories, which fast-check makes shorter when one fails', (t) => {
  const step = fc.tuple(fc.constantFrom(...events, 'limits' as const), fc.nat(0xffff));
  const history = fc.array(step, { minLength: 1, maxLength: 120, size: 'max' });
  fc.assert(
    fc.property(limits, history, (first, steps) => {
      const world = new World(first);
      for (const [event, choice] of steps) world.happen(event, choice);
      world.settle();
    }),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('half a million events', (t) => {
  const seed = Number(process.env.GUISE_TEST_SEED ?? Date.now() % 1_000_000);
  t.comment(`GUISE_TEST_SEED=${seed}`);
  const next = numbers(seed);
  const total: Record<string, number> = {};
  for (const [first] of fc.sample(fc.tuple(limits), { numRuns: 50, seed })) {
    const world = new World(first);
    for (let i = 0; i < 10_000; i++) {
      const choice = next();
      // Limits change rarely, so that each has its time.
      const event = i % 500 === 499 ? 'limits' : (events[choice % events.length] as EventName);
      world.happen(event, next() & 0xffff);
    }
    world.settle();
    for (const [name, count] of Object.entries(world.counts)) total[name] = (total[name] ?? 0) + count;
  }
  for (const [name, count] of Object.entries(total)) t.ok(count > 100, `${name} happened ${count} times`);
  t.end();
});
