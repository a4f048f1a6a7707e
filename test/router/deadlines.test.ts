/** The clock is ours: mocked timers, and performance.now() as we say. */

import { mock } from 'node:test';
import t, { type Test } from 'tap';
import type { Connection } from '../../src/router/connection.js';
import { Deadlines } from '../../src/router/deadlines.js';
import type { Exchange } from '../../src/router/exchange.js';

interface Entry {
  deadlineMs: number;
  exchange:
    | { deadlineMs: number; state: Exchange['state']; stopped: Exchange['stopped']; slowAtMs: number }
    | undefined;
}

class Clock {
  readonly entries = new Set<Entry>();
  readonly calls: string[] = [];
  readonly deadlines: Deadlines;
  #nowMs = 1000;

  constructor(t: Test) {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    t.intercept(performance, 'now', { value: () => this.#nowMs });
    // What the deadlines look at is all that these have.
    this.deadlines = new Deadlines(this.entries as unknown as ReadonlySet<Connection>, {
      looking: () => undefined,
      readingTooLong: (connection) => {
        this.calls.push('reading');
        connection.deadlineMs = Infinity;
      },
      waitingTooLong: (exchange) => {
        this.calls.push('waiting');
        exchange.deadlineMs = Infinity;
      },
      runningTooLong: (exchange) => {
        this.calls.push('running');
        exchange.stopped = 'time-limit';
        exchange.deadlineMs += 2000;
      },
      runningSlowly: () => {
        this.calls.push('slow');
      },
      dyingTooLong: (exchange) => {
        this.calls.push('dying');
        exchange.deadlineMs = Infinity;
      },
    });
  }

  add(deadlineMs: number, state?: Exchange['state'], slowAtMs = Infinity): Entry {
    const exchange = state === undefined ? undefined : { deadlineMs, state, stopped: undefined, slowAtMs };
    const entry = { deadlineMs: exchange === undefined ? deadlineMs : 0, exchange };
    this.entries.add(entry);
    this.deadlines.watch();
    return entry;
  }

  /** Lets time pass in small steps. */
  pass(ms: number): string[] {
    for (let passed = 0; passed < ms; passed += 10) {
      this.#nowMs += 10;
      mock.timers.tick(10);
    }
    return this.calls.splice(0);
  }
}

t.test('a connection that reads for too long', (t) => {
  const clock = new Clock(t);
  const entry = clock.add(2000);
  t.same(clock.pass(990), []);
  t.same(clock.pass(260), ['reading'], 'no later than a quarter of a second after its deadline');
  entry.deadlineMs = 5000;
  clock.deadlines.watch();
  t.same(clock.pass(2740), []);
  t.same(clock.pass(300), ['reading'], 'the new deadline counts');
  t.end();
});

t.test('a request has its own deadline, by what it does', (t) => {
  const clock = new Clock(t);
  clock.add(1500, 'waiting');
  clock.add(2500, 'running');
  t.same(clock.pass(490), []);
  t.same(clock.pass(510), ['waiting']);
  t.same(clock.pass(490), []);
  t.same(clock.pass(1500), ['running'], 'once, though it takes its time to end');
  t.same(clock.pass(3000), ['dying'], 'but not for ever');
  t.end();
});

t.test('where nothing has a deadline there is no timer', (t) => {
  const clock = new Clock(t);
  const entry = clock.add(Infinity);
  clock.pass(300);
  let asked = 0;
  Object.defineProperty(entry, 'exchange', {
    get: () => {
      asked++;
      return undefined;
    },
  });
  clock.pass(10_000);
  t.equal(asked, 0);
  entry.deadlineMs = 12_000;
  clock.deadlines.watch();
  clock.deadlines.watch();
  t.same(clock.pass(3000).length > 0, true, 'until somebody says that there is one');
  t.end();
});

t.test('one that is over does not hide the others, and may end several', (t) => {
  const clock = new Clock(t);
  for (let i = 0; i < 3; i++) clock.add(1100);
  clock.add(Infinity);
  clock.add(1100, 'running');
  t.same(clock.pass(260), ['reading', 'reading', 'reading', 'running']);
  clock.entries.clear();
  t.same(clock.pass(5000), [], 'who has gone is forgotten');
  t.end();
});
