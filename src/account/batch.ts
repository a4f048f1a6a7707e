/**
 * What the router tells the ledger: one message with sums and lines. The first line is JSON, then one line for each
 * record: the site's number, the kind of file, and the record's JSON.
 *
 * A batch has a number within the life of its router. The ledger counts no batch twice, so the router sends one again
 * until it has been acknowledged.
 */

import { type Usage, type UsageRow, usageFields } from './usage.js';

/** Files that lines go to: requests.log and slow.log of a site. */
export const fileKinds = { requests: 1, slow: 2 } as const;
export type FileKind = keyof typeof fileKinds;

export interface BatchLine {
  /** The router's number for the site. */
  readonly site: number;
  readonly kind: number;
  readonly json: string;
}

export interface Batch {
  readonly epoch: string;
  readonly sequence: number;
  readonly usage: readonly UsageRow[];
  readonly lines: readonly BatchLine[];
}

/** Of one message: less than what the kernel takes (net.core.wmem_default). */
export const batchMaxBytes = 128 * 1024;
/** Of its lines, so that the sums of `batchMaxRows` sites fit beside them. */
export const batchMaxLineBytes = 64 * 1024;
export const batchMaxRows = 150;
export const acknowledgementBytes = 4;

export function encodeBatch({ epoch, sequence, usage, lines }: Batch): string {
  const rows = usage.map((row) => [row.day, row.site, ...usageFields.map((field) => row.usage[field])]);
  const head = JSON.stringify({ epoch, sequence, rows });
  return [head, ...lines.map(({ site, kind, json }) => `${site} ${kind} ${json}`)].join('\n');
}

/** @returns undefined when it is none: then its sender is broken */
export function decodeBatch(text: string): Batch | undefined {
  const [head = '', ...rest] = text.split('\n');
  const parsed = parse(head);
  if (parsed === undefined) return undefined;
  const { epoch, sequence, rows } = parsed;
  if (typeof epoch !== 'string' || !/^[0-9a-f]{1,32}$/.test(epoch)) return undefined;
  if (!isCount(sequence) || !Array.isArray(rows)) return undefined;
  const usage = rows.map(readRow);
  const lines = rest.map(readLine);
  if (!usage.every((row) => row !== undefined) || !lines.every((line) => line !== undefined))
    return undefined;
  return { epoch, sequence, usage, lines };
}

function parse(head: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(head);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A row as it travels: day, site, then the sums in their order. */
export function readRow(row: unknown): UsageRow | undefined {
  if (!Array.isArray(row) || row.length !== 2 + usageFields.length) return undefined;
  const [day, site, ...sums] = row as unknown[];
  if (typeof day !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  if (typeof site !== 'string' || !isUsageName(site) || !sums.every(isCount)) return undefined;
  const usage = Object.fromEntries(usageFields.map((field, i) => [field, sums[i]])) as Usage;
  return { day, site, usage };
}

/** Names of sites, of automatic ones and of those for visitors, and "-". */
function isUsageName(name: string): boolean {
  return name.length <= 255 && /^[\x21-\x7e]+$/.test(name);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const linePattern = /^(\d{1,10}) ([12]) (\{.*\})$/;

function readLine(text: string): BatchLine | undefined {
  const match = linePattern.exec(text);
  // A carriage return or another control character would not be JSON, and must not reach a file.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (match === null || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  return { site: Number(match[1]), kind: Number(match[2]), json: match[3] ?? '' };
}
