import t from 'tap';
import { noteDone } from '../../src/control/worker-messages.js';
import type { Connection } from '../../src/router/connection.js';
import { Exchange } from '../../src/router/exchange.js';
import { outcomeOf, refusedOutcome } from '../../src/router/outcomes.js';
import type { RefusalReason } from '../../src/router/refusals.js';
import { RoutedSite } from '../../src/router/routed-site.js';
import { emptyBody, headOf, siteConfig } from './rig.js';

/** An outcome says nothing of a connection. */
const nobody: unknown = undefined;
const site = new RoutedSite(1, siteConfig);
const note = {
  type: noteDone,
  sequence: 1,
  flags: 1,
  status: 404,
  bytesOut: 1234,
  userUs: 300,
  systemUs: 40,
  maxRssKb: 9000,
  found: 0,
  endedUs: 0,
};

/** An exchange that became complete at 1000 ms, at a moment that the test's clock says. */
function exchange(): Exchange {
  return new Exchange(nobody as Connection, site, headOf({ A: 'bc' }), emptyBody, 1000, '0123456789ab');
}

t.test('a request that was served', (t) => {
  t.intercept(performance, 'now', { value: () => 1700 });
  const served = exchange();
  served.run(5, 4711, 1200);
  t.same(outcomeOf(served, { kind: 'done', note }), {
    id: '0123456789ab',
    site: 'a.test',
    uid: 1000,
    status: 404,
    reason: '',
    endedBy: 'script',
    queueMs: 200,
    runMs: 500,
    wasAdmitted: true,
    hasRun: true,
    bytesIn: 5,
    bytesOut: 1234,
    cpuUserUs: 300,
    cpuSystemUs: 40,
    maxRssKb: 9000,
    pid: 4711,
  });
  t.end();
});

t.test('who ended it, and what the visitor was told', (t) => {
  t.intercept(performance, 'now', { value: () => 1700 });
  const cases: [RefusalReason, number, string][] = [
    ['worker-died', 502, 'crash'],
    ['visitor-left', 499, 'visitor'],
    ['time-limit', 504, 'guise'],
    ['script-owner', 403, 'guise'],
    ['queue-full', 503, 'guise'],
    ['killed', 502, 'operator'],
  ];
  for (const [reason, status, endedBy] of cases) {
    for (const kind of ['refused', 'cut'] as const) {
      const outcome = outcomeOf(exchange(), { kind, reason, note: undefined });
      t.match(outcome, { reason, status, endedBy, id: '0123456789ab', site: 'a.test' });
      t.match(outcome, { queueMs: 700, runMs: 0, bytesOut: 0, cpuUserUs: 0, maxRssKb: 0 }, 'it never ran');
      t.match(outcome, { hasRun: false, wasAdmitted: reason !== 'queue-full' });
    }
  }
  const refused = exchange();
  refused.run(5, 4711, 1200);
  t.match(
    outcomeOf(refused, { kind: 'cut', reason: 'worker-died', note }),
    { status: 502, runMs: 500, hasRun: true, bytesOut: 1234, cpuUserUs: 300, cpuSystemUs: 40 },
    "what was used counts, but the script's status is not what the visitor got",
  );
  t.end();
});

t.test('a request that never got as far', (t) => {
  const nowhere = refusedOutcome('1', undefined, 'wrong-key');
  t.match(nowhere, { id: '1', site: undefined, uid: 0, status: 403, reason: 'wrong-key', endedBy: 'guise' });
  const head = headOf({ SCRIPT_NAME: '/a' });
  t.match(refusedOutcome('2', site, 'body-too-large', head), {
    site: 'a.test',
    uid: 1000,
    queueMs: 0,
    pid: 0,
  });
  t.equal(refusedOutcome('2', site, 'body-too-large', head).bytesIn, head.params.length);
  t.end();
});

t.test('who asked for its end is told with it, and only then', (t) => {
  const killed = exchange();
  killed.killedBy = 0;
  t.equal(outcomeOf(killed, { kind: 'refused', reason: 'killed', note: undefined }).byUid, 0);
  t.equal(outcomeOf(killed, { kind: 'done', note }).byUid, undefined, 'it was over before');
  t.end();
});
