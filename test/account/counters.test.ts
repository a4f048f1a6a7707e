import t from 'tap';
import { Counters } from '../../src/account/counters.js';
import type { EndedBy, Outcome } from '../../src/account/outcome.js';

function outcome(endedBy: EndedBy, reason: string): Outcome {
  const nothing = { queueMs: 0, runMs: 0, bytesOut: 0, cpuUs: 0, maxRssKb: 0 };
  return { id: '', site: 'a.test', status: 200, reason, endedBy, ...nothing };
}

t.test('each outcome is counted once, as what it was', (t) => {
  const counters = new Counters();
  counters.count(outcome('script', ''));
  counters.count(outcome('script', ''));
  counters.count(outcome('guise', 'queue-full'));
  counters.count(outcome('visitor', 'visitor-left'));
  counters.count(outcome('guise', 'time-limit'));
  counters.count(outcome('crash', 'worker-died'));
  t.match(counters, { served: 2, refused: 3, crashed: 1 });
  t.end();
});
