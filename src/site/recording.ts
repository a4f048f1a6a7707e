/** The keys of a site that say what is written down about its requests. */

import { z } from 'zod';
import { durationKey } from '../config/duration.js';
import { described } from '../config/explain.js';

export interface Recording {
  /** Which requests get a line in requests.log. All of them count in the sums. */
  readonly ledger: 'all' | 'errors' | 'off';
  /** The share of ordinary requests that get one, 0 to 1. */
  readonly ledgerSample: number;
  /** Ordinary requests that are faster than this get none. */
  readonly ledgerSlowerThanMs: number;
  /** A request that runs for longer gets a line in slow.log; 0: none does. */
  readonly slowAfterMs: number;
}

function key<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return described(schema.exactOptional(), expected, example);
}

export const recordingKeys = {
  ledger: key(z.enum(['all', 'errors', 'off']), '"all", "errors" or "off"', 'ledger = "all"'),
  ledger_sample: key(z.number().min(0).max(1), 'a number from 0 to 1', 'ledger_sample = 0.1'),
  ledger_slower_than: key(durationKey(0), 'a duration, at most 24 days', 'ledger_slower_than = "1s"'),
  slow_after: key(durationKey(0), 'a duration, at most 24 days; 0 for never', 'slow_after = "10s"'),
};

export const recordingDefaults = {
  ledger: 'all',
  ledger_sample: 1,
  ledger_slower_than: 0,
  slow_after: 10_000,
} satisfies RecordingFile;

type RecordingFile = z.output<z.ZodObject<typeof recordingKeys>>;

export function recordingOf(written: Required<RecordingFile>): Recording {
  return {
    ledger: written.ledger,
    ledgerSample: written.ledger_sample,
    ledgerSlowerThanMs: written.ledger_slower_than,
    slowAfterMs: written.slow_after,
  };
}
