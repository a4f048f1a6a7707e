/** Sums on a disk: each batch counts once, whoever is killed between which two steps. */

import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { noUsage, type UsageRow } from '../../src/account/usage.js';
import { Journal, readJournal, takeOver } from '../../src/ledger/journal.js';
import { addToDays, forgetDays, lockUsage, readUsage } from '../../src/ledger/usage-files.js';
import { summarize } from '../../src/ledger/usage-report.js';
import { UsageStore } from '../../src/ledger/usage-store.js';
import { mountTmpfs, resizeTmpfs, unmount } from '../../src/os/mount.js';

const today = new Date().toISOString().slice(0, 10);

function rows(requests: number, site = 'a.test', day = today): UsageRow[] {
  return [{ day, site, usage: { ...noUsage(), requests, bytesIn: 10, maxRssKb: requests } }];
}

function directory(t: Test): string {
  const path = mkdtempSync('/tmp/guise-usage-');
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function requestsIn(path: string, site = 'a.test'): number {
  return summarize(readUsage(path), { site, daily: false })[0]?.requests ?? 0;
}

const journals = (path: string): string[] => readdirSync(path).filter((name) => name.startsWith('journal'));

t.test('a batch counts once, also after a restart', async (t) => {
  const path = directory(t);
  const first = new UsageStore(path, 10);
  t.ok(first.take('a', 1, rows(3)));
  t.notOk(first.take('a', 1, rows(3)), 'sent again');
  t.equal(requestsIn(path), 3, 'before anything is added to the days');
  first.settle();
  t.ok(first.take('a', 2, rows(4)));
  t.ok(first.take('b', 1, rows(5)));
  t.equal(requestsIn(path), 12);
  // The first one is killed here: its journals lie there, and nobody holds them.
  const copy = directory(t);
  for (const name of readdirSync(path)) copyFileSync(`${path}/${name}`, `${copy}/${name}`);
  const second = new UsageStore(copy, 10);
  t.notOk(second.take('a', 2, rows(4)), 'what the dead one had acknowledged');
  t.notOk(second.take('a', 1, rows(4)));
  t.ok(second.take('a', 3, rows(1)));
  t.equal(requestsIn(copy), 13);
  second.close();
  t.equal(requestsIn(copy), 13);
  t.same(journals(copy), []);
  first.close();
});

t.test('killed while journals are added', async (t) => {
  const path = directory(t);
  const days = ['2026-01-01', '2026-01-02'];
  const name = 'journal.x.1.1';
  const journal = new Journal(`${path}/${name}`, new Map());
  for (const [n, day] of days.entries()) journal.append('a', n + 1, rows(2, 'a.test', day));
  journal.close();
  const held = readJournal(`${path}/${name}`);
  // It came as far as the first day.
  addToDays(path, name, held.rows.slice(0, 1));
  t.equal(requestsIn(path), 4, 'whoever reads now counts it once');
  new UsageStore(path, 100_000).close();
  t.equal(requestsIn(path), 4);
  // It came as far as both, and did not remove the journal.
  const again = new Journal(`${path}/journal.x.1.2`, new Map());
  again.append('a', 3, rows(1, 'a.test', days[0]));
  again.close();
  addToDays(path, 'journal.x.1.2', readJournal(again.path).rows);
  t.equal(requestsIn(path), 5);
  new UsageStore(path, 100_000).close();
  t.equal(requestsIn(path), 5);
});

t.test('a last line that was cut is no line, and its batch comes again', async (t) => {
  const path = directory(t);
  const journal = new Journal(`${path}/journal.x.1.1`, new Map([['z', 9]]));
  journal.append('a', 1, rows(1));
  journal.close();
  appendFileSync(journal.path, '{"epoch":"a","sequence":2,"rows":[["');
  t.equal(requestsIn(path), 1);
  const store = new UsageStore(path, 10);
  t.ok(store.take('a', 2, rows(1)));
  t.notOk(store.take('z', 9, rows(1)), 'who was seen before is remembered');
  t.equal(requestsIn(path), 2);
  store.close();
});

t.test('a living ledger’s journal is left alone', async (t) => {
  const path = directory(t);
  const old = new UsageStore(path, 10);
  old.take('a', 1, rows(1));
  t.equal(takeOver(`${path}/${journals(path)[0] ?? ''}`), undefined);
  const young = new UsageStore(path, 10);
  young.take('b', 1, rows(1));
  old.take('a', 2, rows(1));
  t.equal(requestsIn(path), 3);
  young.close();
  old.close();
  t.equal(requestsIn(path), 3);
});

t.test('while somebody reads, nothing is added, and nothing is lost', async (t) => {
  const path = directory(t);
  const store = new UsageStore(path, 10);
  const unlock = lockUsage(path);
  t.equal(lockUsage(path), undefined, 'one at a time');
  store.take('a', 1, rows(1));
  t.notOk(store.settle());
  t.equal(requestsIn(path), 1);
  store.close();
  unlock?.();
  t.equal(requestsIn(path), 1);
  t.equal(journals(path).length, 1, 'for the next ledger');
  new UsageStore(path, 10).close();
  t.equal(requestsIn(path), 1);
  t.same(journals(path), []);
});

t.test('where it cannot be kept, it does not count', async (t) => {
  t.throws(() => new UsageStore('/nonexistent', 10), { code: 'ENOENT' });
  const path = directory(t);
  const disk = `${path}/small`;
  mkdirSync(disk);
  mountTmpfs(disk, { bytes: 64 * 1024, uid: 0, gid: 0 });
  t.teardown(() => unmount(disk));
  const store = new UsageStore(disk, 10);
  let kept = 0;
  const filled = (): boolean => {
    try {
      for (; kept < 10_000; kept++) store.take('a', kept + 1, rows(1));
      return false;
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code === 'ENOSPC';
    }
  };
  t.ok(filled(), `full after ${kept}`);
  t.equal(requestsIn(disk), kept);
  resizeTmpfs(disk, { bytes: 1024 * 1024, uid: 0, gid: 0 });
  t.ok(store.take('a', kept + 1, rows(1)), 'and once there is room it does');
  t.equal(requestsIn(disk), kept + 1);
  store.close();
  t.equal(requestsIn(disk), kept + 1);
});

t.test('days that nobody asks for any more go', async (t) => {
  const path = directory(t);
  for (const day of ['2026-01-01', '2026-01-09', '2026-01-10'])
    addToDays(path, 'journal.x', rows(1, 'a.test', day));
  writeFileSync(`${path}/notes.txt`, '');
  forgetDays(path, 1, Date.parse('2026-01-10T12:00:00Z'));
  t.same(readdirSync(path).sort(), ['2026-01-09.json', '2026-01-10.json', 'notes.txt']);
});

t.test('the report: by site or by day, within a span, visitors’ users with their site', async (t) => {
  const path = directory(t);
  addToDays(path, 'journal.x', [
    ...rows(1, 'a.test', '2026-01-01'),
    ...rows(2, 'a.test', '2026-01-02'),
    ...rows(4, 'a.test+carol', '2026-01-02'),
    ...rows(8, 'a.testing', '2026-01-03'),
  ]);
  const ask = (question: object) =>
    summarize(readUsage(path), { daily: false, ...question }).map(({ site, from, to, requests }) => [
      site,
      from,
      to,
      requests,
    ]);
  t.same(ask({ site: 'a.test' }), [
    ['a.test', '2026-01-01', '2026-01-02', 3],
    ['a.test+carol', '2026-01-02', '2026-01-02', 4],
  ]);
  t.same(ask({ since: '2026-01-02', until: '2026-01-02' }), [
    ['a.test', '2026-01-02', '2026-01-02', 2],
    ['a.test+carol', '2026-01-02', '2026-01-02', 4],
  ]);
  t.equal(ask({ daily: true }).length, 4);
  t.equal(summarize(readUsage(path), { site: 'a.test', daily: false })[0]?.maxRssKb, 2, 'the largest');
});
