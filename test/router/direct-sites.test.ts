/** What the router makes of logbooks: sums, lines, what runs, who may end it, and what a dead worker has taken along. */

import t from 'tap';
import type { Outcome } from '../../src/account/outcome.js';
import type { RequestText } from '../../src/account/record.js';
import { addUsage, noUsage, type Usage } from '../../src/account/usage.js';
import { logbookBytes } from '../../src/control/logbook.js';
import { DirectSites } from '../../src/router/direct-sites.js';
import { LiveRequests } from '../../src/router/live-requests.js';
import { until } from '../os/running.js';
import { FakeLogbook, nowUs } from './fake-logbook.js';

const row = {
  name: 'a.test',
  uid: 1001,
  slots: 2,
  slowAfterMs: 50,
  ledger: 'all',
  ledgerSample: 1,
  ledgerSlowerThanMs: 0,
  ledgerLinesPerSecond: 100,
} as const;
const root = { role: 'admin', uid: 0 } as const;

class Rig {
  readonly lines: { outcome: Outcome; request: RequestText | undefined; site: number }[] = [];
  readonly sums = new Map<string, Usage>();
  readonly slow: string[] = [];
  readonly looks: number[] = [];
  readonly kills: number[] = [];
  quiet = 0;
  readonly direct: DirectSites;
  readonly workers = [new FakeLogbook(2, 0)];
  readonly live: LiveRequests;

  constructor(more: Partial<typeof row> | { slots: number } = {}) {
    const add = (site: string, usage: Usage): void => {
      const sum = this.sums.get(site) ?? noUsage();
      addUsage(sum, usage);
      this.sums.set(site, sum);
    };
    const write = (outcome: Outcome, { id }: { id: number }, request: RequestText | undefined): void => {
      this.lines.push({ outcome, request, site: id });
    };
    this.direct = new DirectSites(
      {
        add,
        write,
        record: (outcome, site, request) => {
          add(site?.name ?? '-', { ...noUsage(), requests: 1, refused: 1 });
          if (site !== undefined) write(outcome, site, request);
        },
        slow: (_site, json) => this.slow.push(json(0)),
      },
      {
        look: (_site, worker) => this.looks.push(worker),
        kill: (_site, worker) => this.kills.push(worker),
        quiet: () => this.quiet++,
      },
    );
    const [first] = this.workers;
    this.workers.push(new FakeLogbook(2, 1, first?.memory));
    this.direct.open(5, { ...row, ...more }, first?.memory ?? new ArrayBuffer(0));
    const dispatcher = { leave: () => undefined, stop: () => undefined, lookAtAll: () => undefined };
    this.live = new LiveRequests({ connections: new Set(), dispatcher }, this.direct);
  }

  worker(slot: number): FakeLogbook {
    const worker = this.workers[slot];
    if (worker === undefined) throw new Error('no such slot');
    return worker;
  }

  end(): void {
    for (const worker of [1, 2, 3]) this.direct.gone(5, worker, false);
  }
}

t.test('a line and sums for each request, with the pid that the master has given', async (t) => {
  const rig = new Rig();
  rig.direct.arrived(5, 1, 0, 4711);
  rig.worker(0).serve({ uri: '/a', id: 0xabc });
  rig.worker(0).serve({ uri: '/b', reason: 8, status: 403 });
  await until('two lines', () => rig.lines.length === 2);
  t.match(rig.lines[0], {
    site: 5,
    request: { uri: '/a' },
    outcome: {
      id: '000000000abc',
      site: 'a.test',
      uid: 1001,
      pid: 4711,
      reason: '',
      endedBy: 'script',
      isDirect: true,
    },
  });
  t.match(rig.lines[1], { outcome: { reason: 'script-writable', status: 403, endedBy: 'guise' } });
  t.match(rig.sums.get('a.test'), { requests: 2, refused: 1 });
  rig.end();
  t.equal(rig.quiet, 1);
});

t.test('a dead worker has taken a request along', (t) => {
  const rig = new Rig();
  for (const [worker, slot] of [
    [1, 0],
    [2, 1],
  ] as const)
    rig.direct.arrived(5, worker, slot, 100 + worker);
  rig.worker(0).begin({ uri: '/crash' });
  rig.direct.gone(5, 1, false);
  rig.worker(1).begin({ uri: '/long' });
  rig.direct.gone(5, 2, true);
  rig.direct.arrived(5, 3, 0, 103);
  rig.worker(0).begin({ uri: '/killed', id: 0x77 });
  t.match(rig.live.list(root, undefined), { requests: [{ id: '000000000077', pid: 103, uri: '/killed' }] });
  t.throws(() => rig.live.kill({ role: 'owner', uid: 1002 }, '000000000077'), { code: 'REQUEST_UNKNOWN' });
  rig.live.kill({ role: 'owner', uid: 1001 }, '000000000077');
  t.same(rig.kills, [3]);
  rig.direct.gone(5, 3, false);
  t.match(
    rig.lines.map(({ request, outcome: { reason, endedBy, byUid, status } }) => [
      request?.uri,
      reason,
      endedBy,
      byUid,
      status,
    ]),
    [
      ['/crash', 'worker-died', 'crash', undefined, 0],
      ['/long', 'time-limit', 'guise', undefined, 0],
      ['/killed', 'killed', 'operator', 1001, 0],
    ],
  );
  t.match(rig.sums.get('a.test'), { requests: 3, refused: 3 });
  rig.end();
  t.end();
});

t.test('who takes the name of another request is ended along with it', (t) => {
  const rig = new Rig();
  rig.direct.arrived(5, 1, 0, 101);
  rig.direct.arrived(5, 2, 1, 102);
  rig.worker(0).begin({ id: 9 });
  rig.worker(1).begin({ id: 9 });
  rig.live.kill(root, '000000000009');
  t.same(rig.kills, [1, 2]);
  rig.end();
  t.end();
});

t.test('a slow request is told of once', async (t) => {
  const rig = new Rig();
  rig.direct.arrived(5, 1, 0, 101);
  rig.worker(0).begin({ uri: '/slow', startedUs: nowUs() });
  await until('a question', () => rig.looks.length > 0);
  rig.direct.tellSlow(1, { state: { state: 'S' }, stack: ['sleep()'] });
  t.match(JSON.parse(rig.slow[0] ?? ''), {
    uri: '/slow',
    pid: 101,
    process: { state: 'S' },
    stack: ['sleep()'],
  });
  rig.worker(0).end();
  rig.direct.tellSlow(1, { state: { state: 'S' }, stack: ['sleep()'] });
  t.equal(rig.slow.length, 1, 'not of one that has ended meanwhile');
  t.same(rig.looks, [1]);
  rig.end();
});

t.test('a worker that writes without end', async (t) => {
  const rig = new Rig();
  rig.direct.arrived(5, 1, 0, 101);
  const { bytes } = rig.worker(0);
  for (let n = 0; n < 600; n++) rig.worker(0).serve({ uri: '/' });
  bytes.writeBigUInt64LE(2n ** 63n, 0); // and has served more than the machine ever will
  await until('something', () => rig.lines.length > 0);
  t.equal(rig.lines.length, 256, 'no more at one look');
  t.equal(rig.sums.get('a.test')?.requests, 1e6);
  bytes.fill(0xff, 64, logbookBytes);
  await until('the next look', () => bytes.readBigUInt64LE(128) === 2n ** 64n - 1n);
  t.same(rig.live.list(root, undefined).requests, []);
  rig.end();
});

t.test('a place that there is not', (t) => {
  const rig = new Rig();
  rig.direct.arrived(5, 1, 2, 101);
  rig.direct.arrived(6, 1, 0, 101);
  t.ok(rig.direct.isQuiet);
  t.end();
});

t.test('without a master the dead are looked for', async (t) => {
  const rig = new Rig();
  rig.direct.arrived(5, 1, 0, 101);
  let isAlive = true;
  rig.worker(0).begin({ uri: '/last' });
  rig.direct.masterIsGone(() => isAlive);
  t.notOk(rig.direct.isQuiet);
  rig.worker(0).end({ uri: '/last' });
  isAlive = false;
  await until('its end', () => rig.quiet > 0);
  t.match(rig.lines, [{ request: { uri: '/last' }, outcome: { reason: '' } }]);
});
