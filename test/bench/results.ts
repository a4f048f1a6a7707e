/** Results as files: one JSON file for each run, and the newest of each part for the report. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import type { DensityResult } from './density-result.js';
import type { KeptResult } from './kept.js';
import type { NoisyResult } from './noisy.js';
import { checkout, resultsDirectory } from './places.js';
import type { ThroughputResult } from './throughput-result.js';

export type Result = ThroughputResult | DensityResult | NoisyResult | KeptResult;

export interface Machine {
  readonly date: string;
  readonly cores: number;
  readonly model: string;
  readonly kernel: string;
  readonly node: string;
  readonly apache: string;
  readonly php: string;
  readonly commit: string;
  /** The load of the last minute before the run: above 0.5 the figures are worth little. */
  readonly loadBefore: number;
  readonly quick: boolean;
  /** Whether the kernel shares processor time by session (sched_autogroup): with it, a busy machine favours some peers. */
  readonly autogroup: boolean;
}

export interface Recorded<T extends Result = Result> {
  readonly machine: Machine;
  readonly result: T;
}

const words = (file: string, args: string[], pattern: RegExp): string => {
  try {
    return pattern.exec(execFileSync(file, args, { encoding: 'utf8', cwd: checkout }))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
};

export function machine(loadBefore: number, quick: boolean): Machine {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    cores: cpus().length,
    model: cpus()[0]?.model.trim() ?? 'unknown',
    kernel: release(),
    node: process.versions.node,
    apache: words('/usr/sbin/apache2', ['-v'], /Apache\/(\S+)/),
    php: words('/usr/bin/php-cgi', ['-v'], /^PHP (\S+)/),
    commit: words('git', ['rev-parse', '--short', 'HEAD'], /^(\S+)/),
    loadBefore,
    quick,
    autogroup: words('/bin/cat', ['/proc/sys/kernel/sched_autogroup_enabled'], /(\d)/) === '1',
  };
}

/** Writes a file that no other run overwrites, and answers with its path. */
export function record(recorded: Recorded): string {
  mkdirSync(resultsDirectory, { recursive: true });
  const { kind } = recorded.result;
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-').slice(0, 19);
  const file = `${resultsDirectory}/${kind}-${stamp}.json`;
  writeFileSync(file, `${JSON.stringify(recorded, undefined, 1)}\n`);
  return file;
}

/** The newest result of a part; one that is kept in the repository under the name KIND.json if there is no other. */
export function newest<K extends Result['kind']>(
  kind: K,
): (Recorded<Extract<Result, { kind: K }>> & { readonly file: string }) | undefined {
  let names: string[];
  try {
    names = readdirSync(resultsDirectory).filter((name) => name.startsWith(kind) && name.endsWith('.json'));
  } catch {
    return undefined;
  }
  const name = names.sort().at(-1);
  if (name === undefined) return undefined;
  const text = readFileSync(`${resultsDirectory}/${name}`, 'utf8');
  return { ...(JSON.parse(text) as Recorded<Extract<Result, { kind: K }>>), file: name };
}
