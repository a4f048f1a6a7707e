/** Reads the tables of a reference page, and says what a schema's keys ought to look like in one. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { formatDuration, formatSize } from '../../src/config/duration.js';
import { descriptionAt } from '../../src/config/explain.js';

/** A page of docs/reference; the checkout is three levels above build/test/config. */
export function readReference(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../docs/reference/${name}`, import.meta.url)), 'utf8');
}

export type Row = readonly string[];

/** The rows of the tables under a heading (without its `#`), the tables' own headings left out. */
export function rowsUnder(page: string, heading: string): Row[] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start === -1) return [];
  const rows: Row[] = [];
  for (const line of lines.slice(start + 1)) {
    if (line.startsWith('#')) break;
    if (!line.startsWith('|')) continue;
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    rows.push(cells.map((cell) => cell.trim().replaceAll('\\|', '|')));
  }
  return rows.filter((_, index) => index > 1);
}

/** What stands between the backquotes of a cell, or the cell itself. */
export function plainCell(cell: string | undefined): string {
  return /^`(.*)`$/.exec(cell ?? '')?.[1] ?? cell ?? '';
}

/** The rows that a table of keys must have: key, what is expected, default. */
export function expectedRows(schema: z.ZodObject, defaults: Readonly<Record<string, unknown>>): Row[] {
  return Object.keys(schema.shape).map((name) => {
    const { expected } = descriptionAt(schema, [name]);
    return [name, expected, showDefault(defaults[name], expected)];
  });
}

function showDefault(value: unknown, expected: string): string {
  if (value === undefined) return 'none';
  if (typeof value === 'number' && expected.includes('a duration')) return `"${formatDuration(value)}"`;
  if (typeof value === 'number' && expected.includes('a size'))
    return value === 0 ? '0' : `"${formatSize(value)}"`;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'see below';
  return JSON.stringify(value);
}
