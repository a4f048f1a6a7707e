import t from 'tap';
import { Counters } from '../../src/account/counters.js';
import { figure, queueSteps, refusalsOf, runSteps } from '../../src/account/figures.js';
import { quantile, totalOf } from '../../src/account/histogram.js';
import { type EndedBy, noUse, type Outcome } from '../../src/account/outcome.js';

function outcome(endedBy: EndedBy, reason: string, more: Partial<Outcome> = {}): Outcome {
  const stages = { wasAdmitted: true, hasRun: true };
  return { ...noUse, ...stages, id: '', site: 'a.test', uid: 1000, status: 200, reason, endedBy, ...more };
}

t.test('each outcome is counted once, as what it was', (t) => {
  const counters = new Counters();
  counters.count(outcome('script', ''), 1);
  counters.count(outcome('script', ''), 2);
  counters.count(outcome('guise', 'queue-full'), 3);
  counters.count(outcome('visitor', 'visitor-left'), 4);
  counters.count(outcome('guise', 'time-limit'), 5);
  counters.count(outcome('crash', 'worker-died'), 6);
  t.match(counters, { served: 2, refused: 3, crashed: 1 });
  t.same(refusalsOf(counters.figures), {
    'queue-full': 1,
    'worker-died': 1,
    'time-limit': 1,
    'visitor-left': 1,
  });
  t.equal(figure(counters.figures, 'lastRequestMs'), 6);
  t.end();
});

t.test('what was used, and how long it took', (t) => {
  const { figures, count } = bound(new Counters());
  const used = { bytesIn: 10, bytesOut: 20, cpuUserUs: 300, cpuSystemUs: 40, queueMs: 2, runMs: 40 };
  count(outcome('script', '', { ...used, maxRssKb: 9000 }));
  count(outcome('script', '', { ...used, maxRssKb: 7000 }));
  const of = (name: Parameters<typeof figure>[1]): number => figure(figures, name);
  t.same([of('bytesIn'), of('bytesOut'), of('cpuUserUs'), of('cpuSystemUs')], [20, 40, 600, 80]);
  t.equal(of('peakRssKb'), 9000, 'the largest');
  t.same([of('queueUs'), of('runUs')], [4000, 80_000]);
  count(outcome('guise', 'queue-timeout', { hasRun: false, queueMs: 5000 }));
  count(outcome('guise', 'wrong-key', { hasRun: false, wasAdmitted: false }));
  t.equal(totalOf(queueSteps(figures)), 3, 'who never got into the queue did not wait');
  t.equal(totalOf(runSteps(figures)), 2, 'what never ran took no time');
  t.equal(quantile(runSteps(figures), 0.5), 40, 'in the middle of the step from 30 to 50');
  t.end();
});

t.test('a worker that lies about what it has used spoils its own figures at most', (t) => {
  const { figures, count } = bound(new Counters());
  for (const value of [2 ** 63, Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    count(outcome('script', '', { bytesOut: value, cpuUserUs: value, cpuSystemUs: value, maxRssKb: value }));
  }
  for (const name of ['bytesOut', 'cpuUserUs', 'cpuSystemUs', 'peakRssKb'] as const) {
    const value = figure(figures, name);
    t.ok(Number.isSafeInteger(value) && value <= 2 ** 41, `${name}: ${value}`);
  }
  t.end();
});

function bound(counters: Counters): { figures: Counters['figures']; count: (outcome: Outcome) => void } {
  return { figures: counters.figures, count: (outcome) => counters.count(outcome, 0) };
}
