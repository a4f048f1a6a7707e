/** The text that monitoring reads: Prometheus' own checker has nothing to say against it, and the page has every row. */

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { at, figureCount, noFigures, runStepsAt } from '../../src/account/figures.js';
import { figuresReport } from '../../src/control/figures-report.js';
import { bucketsMs, metricsText, mostSites } from '../../src/metrics/exposition.js';
import { machineMetrics } from '../../src/metrics/machine-metrics.js';
import { siteMetrics } from '../../src/metrics/site-metrics.js';
import { packageRoot } from '../../src/os/addon.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';
import { daemonReport, siteReport } from '../status/report.js';

const promtool = `${packageRoot()}/.cache/debian/usr/bin/promtool`;

function busySite(name: string, served: number): ReturnType<typeof siteReport> {
  const figures = noFigures();
  for (let i = 0; i < figureCount; i++) figures[i] = i % 7;
  figures[at.served] = served;
  figures.fill(0, runStepsAt);
  figures[runStepsAt + 2] = 3; // up to 0.2 ms
  figures[runStepsAt + 15] = 2; // up to 30 ms
  figures[figureCount - 1] = 1; // longer than all steps
  figures[at.runUs] = 700_000_000;
  return siteReport(name, { ...figuresReport(figures), tmp: { used: 5, size: 10 } });
}

/** The samples of a text, by name with labels. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const pairs = lines.map((line): [string, number] => {
    const space = line.lastIndexOf(' ');
    return [line.slice(0, space), Number(line.slice(space + 1))];
  });
  t.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'no sample comes twice');
  return new Map(pairs);
}

t.test('promtool has nothing to say against it', async (t) => {
  const report = daemonReport(
    busySite('a.test', 40),
    busySite('b.test', 3),
    siteReport('q.test', { served: 0, refused: 0, crashed: 0 }),
  );
  const text = await metricsText(report, 'prometheus');
  const { status, stdout, stderr, error } = spawnSync(promtool, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  t.equal(error, undefined);
  t.equal(`${stdout}${stderr}`.trim(), '');
  t.equal(status, 0);
  const broken = text.replace('# HELP guise_site_requests_total', '# HALP guise_site_requests_total');
  t.not(spawnSync(promtool, ['check', 'metrics'], { input: broken }).status, 0, 'it would have');
});

t.test('OpenMetrics: the same samples, and an end', async (t) => {
  const report = daemonReport(busySite('a.test', 40));
  const open = await metricsText(report, 'openmetrics');
  t.match(open, /\n# EOF\n$/);
  t.match(open, /^# TYPE guise_site_requests counter$/m);
  t.same(samples(open), samples(await metricsText(report, 'prometheus')));
});

t.test('histograms add up', async (t) => {
  const found = samples(await metricsText(daemonReport(busySite('a.test', 6)), 'openmetrics'));
  const bucket = (le: string): number | undefined =>
    found.get(`guise_site_run_duration_seconds_bucket{site="a.test",le="${le}"}`);
  t.same(
    bucketsMs.map((ms) => bucket(String(ms / 1000))),
    [3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5],
  );
  t.equal(bucket('+Inf'), 6);
  t.equal(found.get('guise_site_run_duration_seconds_count{site="a.test"}'), 6);
  t.equal(found.get('guise_site_run_duration_seconds_sum{site="a.test"}'), 700);
});

t.test('a site that has just changed has two rows, and is one', async (t) => {
  const old = { ...busySite('a.test', 30), state: 'stopping' as const };
  const found = samples(await metricsText(daemonReport(old, busySite('a.test', 12)), 'openmetrics'));
  t.equal(found.get('guise_site_requests_total{site="a.test",outcome="served"}'), 42, 'requests are added');
  t.equal(found.get('guise_site_workers_limit{site="a.test"}'), 8, 'limits are not');
  t.equal(found.get('guise_site_worker_starts_total{site="a.test"}'), 4, 'nor what is counted for both');
});

t.test('names are escaped', async (t) => {
  const text = await metricsText(daemonReport(busySite('a"b\\c\nd{', 1)), 'prometheus');
  t.match(text, 'site="a\\"b\\\\c\\nd{"');
  t.equal(spawnSync(promtool, ['check', 'metrics'], { input: text }).status, 0);
});

t.test('however many sites there are, the series are bounded', async (t) => {
  const sites = Array.from({ length: 2000 }, (_, i) => busySite(`${i}.test`, i + 1));
  const began = performance.now();
  const found = samples(await metricsText(daemonReport(...sites), 'openmetrics'));
  t.comment(`${found.size} series, ${Math.round(performance.now() - began)} ms`);
  t.equal(found.get('guise_sites_left_out'), 2000 - mostSites);
  t.ok(found.has('guise_site_queue_limit{site="1999.test"}'), 'those with the most requests are there');
  t.notOk(found.has('guise_site_queue_limit{site="1499.test"}'), 'the others are not');
  t.ok(found.size < mostSites * 120);
});

t.test('every metric is on the page', async (t) => {
  const row = ({
    name,
    type,
    labels = [],
    help,
  }: (typeof machineMetrics)[number] | (typeof siteMetrics)[number]) => [
    type === 'counter' ? `${name}_total` : name,
    type,
    labels.join(' ') || '–',
    help,
  ];
  const page = readReference('metrics.md');
  const cells = (heading: string) =>
    rowsUnder(page, heading).map((cells) => cells.map((cell) => plainCell(cell).replaceAll('`', '')));
  const leftOut = ['guise_sites_left_out', 'gauge', '–'];
  t.same(cells('The machine').slice(0, -1), machineMetrics.map(row));
  t.match(cells('The machine').at(-1), leftOut);
  t.same(cells('Each site'), siteMetrics.map(row));
});
