/** The command line of the benchmark. */

import { parseArgs } from 'node:util';

export const parts = ['throughput', 'density', 'noisy', 'kept', 'all', 'report'] as const;
export type Part = (typeof parts)[number];

export interface Options {
  readonly part: Part;
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  /** How long the measuring of one part may take. */
  readonly budgetSeconds: number;
  /** Only these arms, pages, numbers of connections, numbers of sites; empty for all of them. */
  readonly arms: readonly string[];
  readonly pages: readonly string[];
  readonly connections: readonly number[];
  readonly sites: readonly number[];
  /** Whether docs/reference is written anew. */
  readonly publish: boolean;
}

export const usage = `npm run bench -- [throughput|density|noisy|kept|all|report] [options]
  --quick             few peers, two pages, short rounds: to see that everything works
  --rounds N          how often each peer is measured (4; quick: 2)
  --seconds N         how long each time (2)
  --arms A,B          only these; density: guise or php-fpm
  --pages A,B         only these
  --connections 1,8   only these
  --sites 100,1000    density: only these numbers of sites
  --publish           write docs/reference/benchmarks.md and its plots from the newest results
report: only that, without measuring anything`;

/** Throws an Error with the usage when it makes no sense. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: flag,
      publish: flag,
      rounds: text,
      seconds: text,
      arms: text,
      pages: text,
      connections: text,
      sites: text,
    },
  });
  const part = parts.find((one) => one === (positionals[0] ?? 'throughput'));
  if (part === undefined || positionals.length > 1) throw new Error(usage);
  const { quick } = values;
  return {
    part,
    quick,
    rounds: whole(values.rounds) ?? (quick ? 2 : 4),
    seconds: whole(values.seconds) ?? 2,
    budgetSeconds: quick ? 150 : 2160,
    arms: list(values.arms),
    pages: list(values.pages),
    connections: list(values.connections).map(Number),
    sites: list(values.sites).map(Number),
    publish: values.publish || part === 'report',
  };
}

const list = (value: string | undefined): string[] => (value === undefined ? [] : value.split(','));

function whole(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(usage);
  return number;
}
