/**
 * The keys of a site that say how long the processes of its scripts may go on, and what they may take together of the
 * machine. The latter hold where the kernel has control groups for them (master/site-groups.ts); `guise check` tells.
 */

import { z } from 'zod';
import { sizeKey } from '../config/duration.js';
import { described } from '../config/explain.js';

/** Less would not start PHP. */
const leastMemoryBytes = 16 * 1024 ** 2;

export interface Processes {
  /** What a script has left running when its request ends: ended with it, or kept until the site's workers go. */
  readonly background: 'end' | 'keep';
  /** When the visitor leaves, his request goes on, or ends with everything that it has started. */
  readonly onDisconnect: 'finish' | 'stop';
  /** Of all its processes together; 0 for no limit. Without a control group to hold it the site does not run. */
  readonly memoryMaxBytes: number;
  /** Its share of processors that several sites want. */
  readonly cpuWeight: number;
  /** Processes and threads; 0 for no limit. */
  readonly pidsMax: number;
}

function key<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return described(schema.exactOptional(), expected, example);
}

export const processKeys = {
  background: key(z.enum(['end', 'keep']), '"end" or "keep"', 'background = "end"'),
  on_disconnect: key(z.enum(['finish', 'stop']), '"finish" or "stop"', 'on_disconnect = "finish"'),
  memory_max: key(
    sizeKey(0).refine((bytes) => bytes === 0 || bytes >= leastMemoryBytes, { error: 'is too small' }),
    'a size of at least "16M"; 0 for no limit',
    'memory_max = "1G"',
  ),
  cpu_weight: key(z.int().min(1).max(10_000), 'a whole number from 1 to 10000', 'cpu_weight = 100'),
  pids_max: key(z.int().min(0).max(4_194_304), 'a whole number; 0 for no limit', 'pids_max = 200'),
};

export const processDefaults = {
  background: 'end',
  on_disconnect: 'finish',
  memory_max: 0,
  // The kernel's own default.
  cpu_weight: 100,
  pids_max: 0,
} satisfies ProcessFile;

type ProcessFile = z.output<z.ZodObject<typeof processKeys>>;

export function processesOf(written: Required<ProcessFile>): Processes {
  return {
    background: written.background,
    onDisconnect: written.on_disconnect,
    memoryMaxBytes: written.memory_max,
    cpuWeight: written.cpu_weight,
    pidsMax: written.pids_max,
  };
}
