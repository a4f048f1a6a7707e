/**
 * The keys of a site that say how long the processes of its scripts may go on, and what they may take together of the
 * machine. The latter hold where the kernel has control groups for them (master/cgroups.ts); `guise check` tells.
 */

import { z } from 'zod';
import { described } from '../config/explain.js';

export interface Processes {
  /** What a script has left running when its request ends: ended with it, or kept until the site's workers go. */
  readonly background: 'end' | 'keep';
  /** When the visitor leaves, his request goes on, or ends with everything that it has started. */
  readonly onDisconnect: 'finish' | 'stop';
}

function key<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return described(schema.exactOptional(), expected, example);
}

export const processKeys = {
  background: key(z.enum(['end', 'keep']), '"end" or "keep"', 'background = "end"'),
  on_disconnect: key(z.enum(['finish', 'stop']), '"finish" or "stop"', 'on_disconnect = "finish"'),
};

export const processDefaults = {
  background: 'end',
  on_disconnect: 'finish',
} satisfies ProcessFile;

type ProcessFile = z.output<z.ZodObject<typeof processKeys>>;

export function processesOf(written: Required<ProcessFile>): Processes {
  return { background: written.background, onDisconnect: written.on_disconnect };
}
