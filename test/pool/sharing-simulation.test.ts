/** Many sites on one machine. machine.ts complains about whatever must not be; here is what should come of it. */

import fc from 'fast-check';
import t from 'tap';
import { numbers } from './chance.js';
import { Machine, type Traffic } from './machine.js';

const megabyte = 1024 ** 2;
const plain: Traffic = { weight: 1, bytes: 10 * megabyte, maxWorkers: 8, everyMs: 1000, takesMs: 50 };
const unlimited = Number.POSITIVE_INFINITY;

t.test('a machine that is asked for more than it has', (t) => {
  const traffic: fc.Arbitrary<Traffic> = fc.record({
    weight: fc.constantFrom(0.5, 1, 3),
    bytes: fc.constantFrom(5, 10, 70, 400).map((count) => count * megabyte),
    maxWorkers: fc.integer({ min: 1, max: 8 }),
    everyMs: fc.constantFrom(0, 5, 50, 500),
    visitors: fc.integer({ min: 1, max: 12 }),
    takesMs: fc.constantFrom(2, 30, 300),
  });
  const limits = fc.record({
    maxWorkers: fc.integer({ min: 1, max: 10 }),
    memoryBytes: fc.constantFrom(60 * megabyte, 300 * megabyte, unlimited),
  });
  fc.assert(
    fc.property(limits, fc.array(traffic, { minLength: 1, maxLength: 8 }), fc.nat(), (limit, all, seed) => {
      const machine = new Machine(limit, all, seed);
      machine.run(800);
      machine.close();
    }),
    { numRuns: 60 },
  );
  t.end();
});

t.test('a million events of 200 sites', (t) => {
  const seed = Number(process.env.GUISE_TEST_SEED ?? Date.now() % 1_000_000);
  t.comment(`GUISE_TEST_SEED=${seed}`);
  const next = numbers(seed);
  const traffic = Array.from({ length: 200 }, (_, i): Traffic => {
    const everyMs = i < 20 ? 20 + (next() % 30) : 200 + (next() % 20_000);
    return { ...plain, everyMs, takesMs: 5 + (next() % 100), bytes: (5 + (next() % 60)) * megabyte };
  });
  const machine = new Machine({ maxWorkers: 40, memoryBytes: 1500 * megabyte }, traffic, seed);
  machine.run(1_000_000);
  machine.close();
  const { sites, gaveUp } = machine;
  t.ok(gaveUp > 100, `${gaveUp} idle workers were given up`);
  const served = sites.reduce((sum, site) => sum + site.served, 0);
  t.equal(sites.filter((site) => site.left > 0).length, 0, 'nobody waited in vain');
  t.ok(served > 150_000, `${served} requests`);
  t.end();
});

t.test('a flood of 500 does not delay one visitor by more than its share', (t) => {
  const flood: Traffic = { ...plain, everyMs: 0, visitors: 400, maxWorkers: 8 };
  const one: Traffic = { ...plain, everyMs: 0, visitors: 1 };
  const machine = new Machine({ maxWorkers: 4, memoryBytes: unlimited }, [flood, one], 1);
  machine.run(20_000);
  const [many, single] = machine.sites.map(({ waitedMs, served }) => waitedMs / served);
  t.ok((single ?? 0) < 60, `${single?.toFixed(1)} ms`);
  t.ok((many ?? 0) > 1000, `${many?.toFixed(1)} ms`);
  t.end();
});

t.test('weights: what sites get that always want more', (t) => {
  const greedy: Traffic = { ...plain, everyMs: 0, visitors: 40, maxWorkers: 40, takesMs: 20 };
  const all = [1, 2, 5].map((weight) => ({ ...greedy, weight }));
  const machine = new Machine({ maxWorkers: 16, memoryBytes: unlimited }, all, 1);
  machine.run(60_000);
  const [a = 0, b = 0, c = 0] = machine.sites.map(({ served }) => served);
  t.ok(Math.abs(b / a - 2) < 0.4, `${(b / a).toFixed(2)} times as much for twice the weight`);
  t.ok(Math.abs(c / a - 5) < 1, `${(c / a).toFixed(2)} times as much for five times the weight`);
  t.end();
});

t.test('more sites than workers: each has its turns, and nobody waits for more than some', (t) => {
  const all = Array.from({ length: 12 }, () => ({ ...plain, everyMs: 0, visitors: 3, takesMs: 20 }));
  const machine = new Machine({ maxWorkers: 3, memoryBytes: unlimited }, all, 1);
  machine.run(100_000);
  const served = machine.sites.map((site) => site.served);
  t.ok(Math.min(...served) > 0.6 * Math.max(...served), served.join(' '));
  t.ok(machine.sites.every(({ longestMs }) => longestMs < 10_000));
  t.ok(machine.yielded > 10);
  t.end();
});
