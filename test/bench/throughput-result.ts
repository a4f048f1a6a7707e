/** What the throughput part finds out, as it stands in the JSON file. Latencies in ms, processor time in µs. */

import type { Arm } from './arms.js';
import type { Spread } from './statistics.js';

export interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuUs: number;
  /** Processor time by kind of process. */
  readonly split: Readonly<Record<string, number>>;
  readonly pssKb: number;
}

export interface Figures {
  readonly arm: string;
  readonly page: string;
  readonly connections: number;
  readonly rounds: number;
  readonly perSecond: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  readonly cpuUs: Spread;
  readonly split: Readonly<Record<string, number>>;
  readonly pssKb: Spread;
  /** Requests a second over those of the arm that this one is compared with, round by round. */
  readonly ratio?: Spread;
}

export interface ThroughputResult {
  readonly kind: 'throughput';
  readonly arms: readonly Arm[];
  /** Peers that were not measured, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
  readonly figures: readonly Figures[];
  /** Runs in which a request failed. They count for nothing and make the benchmark fail. */
  readonly failures: readonly string[];
}

export function figuresOf(
  result: ThroughputResult,
  arm: string,
  page: string,
  connections: number,
): Figures | undefined {
  return result.figures.find((f) => f.arm === arm && f.page === page && f.connections === connections);
}
