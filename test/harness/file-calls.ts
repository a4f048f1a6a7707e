/** Counts what code asks of the file system, by replacing the functions of node:fs for a while. */

import fs from 'node:fs';

const { syncBuiltinESMExports } = process.getBuiltinModule('node:module');

const watched = [
  'openSync',
  'readFileSync',
  'readSync',
  'writeFileSync',
  'closeSync',
  'fstatSync',
  'statSync',
  'lstatSync',
  'readdirSync',
  'readlinkSync',
  'realpathSync',
  'linkSync',
  'renameSync',
  'unlinkSync',
  'rmSync',
  'mkdirSync',
  'fsyncSync',
  'existsSync',
] as const;

/** How often each function was called; those that were not called are missing. */
export function countFileCalls(work: () => void): Partial<Record<(typeof watched)[number], number>> {
  const counts: Partial<Record<(typeof watched)[number], number>> = {};
  const table = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = watched.map((name) => [name, table[name] as (typeof table)[string]] as const);
  for (const [name, original] of originals) {
    table[name] = (...args) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return original(...args);
    };
  }
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    for (const [name, original] of originals) table[name] = original;
    syncBuiltinESMExports();
  }
  return counts;
}
