/**
 * The counters that workers of the direct lane keep in shared memory, as the master reads them: layout as in
 * native/preload/counters.h, which a test compares with this. They are a site's word about itself: figures for
 * status, a clock for its own time limit, and nothing else.
 */

import { type CountedReason, refusalReasons } from '../account/refusal-reasons.js';

export const counterSlotBytes = 64;

export interface DirectCounters {
  /** CLOCK_MONOTONIC in milliseconds since when the worker is busy; 0: it is idle. */
  readonly busySinceMs: number;
  readonly lastEndMs: number;
  readonly served: number;
  readonly refused: number;
  readonly bytesOut: number;
  /** The number of the last refusal's reason: script.h, direct.h. */
  readonly lastRefusal: number;
}

/** Reads the counters of slot `slot` from a copy of the shared memory. */
export function readCounters(memory: Buffer, slot: number): DirectCounters {
  const at = slot * counterSlotBytes;
  return {
    busySinceMs: Number(memory.readBigUInt64LE(at)),
    served: Number(memory.readBigUInt64LE(at + 8)),
    refused: Number(memory.readBigUInt64LE(at + 16)),
    bytesOut: Number(memory.readBigUInt64LE(at + 24)),
    lastRefusal: memory.readUInt32LE(at + 32),
    lastEndMs: Number(memory.readBigUInt64LE(at + 40)),
  };
}

const firstScriptReason = refusalReasons.indexOf('script-not-named');
const scriptReasons = refusalReasons.length - firstScriptReason;

/** Those of direct.h, and of intake.h behind them. A stranger gets no answer and is no visitor: he has no word. */
const directReasons: Readonly<Record<number, CountedReason>> = {
  100: 'no-key',
  101: 'wrong-key',
  103: 'visitor-left',
  104: 'worker-died',
  112: 'read-timeout',
  113: 'params-too-large',
  114: 'body-too-large',
  115: 'body-cut-short',
  116: 'unknown-role',
  117: 'spool-failed',
};

/** The word for a worker's number of a reason; undefined when it is none. */
export function directReason(number: number): CountedReason | undefined {
  if (number >= 1 && number <= scriptReasons) return refusalReasons[firstScriptReason + number - 1];
  return directReasons[number];
}
