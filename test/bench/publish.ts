/** The newest results as docs/reference/benchmarks.md and its plots. What stands outside the markers is kept. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { bars } from './bars.js';
import type { DensityResult } from './density-result.js';
import { pages } from './pages.js';
import { page, plotsDirectory } from './places.js';
import { newest, type Recorded } from './results.js';
import { inWords } from './tables.js';
import { figuresOf, type ThroughputResult } from './throughput-result.js';

const titles = {
  throughput: 'Throughput, latency, processor time, memory',
  kept: 'Eight workers behind 200 kept connections',
  noisy: 'A noisy neighbour',
  density: 'Many sites',
} as const;

/** Answers with the files it wrote. */
export function publish(): string[] {
  const written: string[] = [];
  const sections = (['throughput', 'kept', 'noisy', 'density'] as const).map((kind) => {
    const found = newest(kind);
    if (found === undefined) return `## ${titles[kind]}\n\nNot measured yet.`;
    const plots = plot(found);
    written.push(...plots.map(({ name }) => `${plotsDirectory}/${name}`));
    const pictures = plots.map(({ name, title }) => `![${title}](benchmarks/${name})`);
    return [`## ${titles[kind]}`, ...pictures, inWords(found)].join('\n\n');
  });
  const begin = '<!-- results: written by npm run bench -- report -->';
  const end = '<!-- end of results -->';
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has lost its markers`);
  writeFileSync(
    page,
    `${text.slice(0, from + begin.length)}\n\n${sections.join('\n\n')}\n\n${text.slice(to)}`,
  );
  return [page, ...written];
}

interface Plot {
  readonly name: string;
  readonly title: string;
}

function plot({ result }: Recorded): Plot[] {
  mkdirSync(plotsDirectory, { recursive: true });
  const charts =
    result.kind === 'throughput'
      ? throughputCharts(result)
      : result.kind === 'density'
        ? densityCharts(result)
        : [];
  for (const { name, svg } of charts) writeFileSync(`${plotsDirectory}/${name}`, svg);
  return charts.map(({ name, title }) => ({ name, title }));
}

type Chart = Plot & { readonly svg: string };

function throughputCharts(result: ThroughputResult): Chart[] {
  return pages.flatMap((one) => {
    const rows = result.arms.flatMap((arm) => {
      const figures = figuresOf(result, arm.id, one.id, 8);
      if (figures === undefined) return [];
      const { median, min, max } = figures.perSecond;
      const client = arm.client === 'closed' ? ' ¹' : '';
      return [
        { label: arm.label + client, value: median, low: min, high: max, ours: arm.peer.startsWith('guise') },
      ];
    });
    if (rows.length === 0) return [];
    const title = `${one.title}: requests a second, 8 connections`;
    const sorted = rows.sort((a, b) => b.value - a.value);
    return [{ name: `${one.id}.svg`, title, svg: bars(title, sorted) }];
  });
}

function densityCharts(result: DensityResult): Chart[] {
  const chart = (
    name: string,
    title: string,
    value: (row: DensityResult['rows'][number]) => number,
  ): Chart => {
    const rows = result.rows.map((row) => ({
      label: `${row.server}, ${row.sites} sites`,
      value: value(row),
      ours: row.server === 'guise',
    }));
    return { name, title, svg: bars(title, rows) };
  };
  return [
    chart('density-start.svg', 'Time to start, ms', (row) => row.startMs),
    chart('density-memory.svg', 'Memory while nobody asks, MB', (row) => row.quietKb / 1024),
    chart('density-add.svg', 'Time to add one site, ms', (row) => row.addMs),
  ];
}
