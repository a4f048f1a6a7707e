/**
 * Durations and sizes as people write them: `"30s"`, `"500ms"`, `"1h"`; `"8M"`, `"64K"`. A bare number is
 * seconds, or bytes. Letters of sizes are powers of 1024, as in php.ini.
 */

import { z } from 'zod';

const millisecondsPer: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const bytesPer: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** The longest duration that Node's timers take (2^31 - 1 ms, 24.8 days). A longer one would fire at once. */
export const longestTimerMs = 2_147_483_647;

/** Milliseconds, or undefined where the text is no duration. */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === 'number') return bounded(value * 1000, longestTimerMs);
  const match = /^(\d{1,12}(?:\.\d{1,3})?)\s?(ms|s|m|h|d)$/.exec(value);
  if (match === null) return undefined;
  return bounded(Number(match[1]) * (millisecondsPer[match[2] ?? ''] ?? Number.NaN), longestTimerMs);
}

/** Bytes, or undefined where the text is no size. */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? bounded(value, 2 ** 50) : undefined;
  const match = /^(\d{1,15})\s?([KMG]?)B?$/i.exec(value);
  if (match === null) return undefined;
  return bounded(Number(match[1]) * (bytesPer[(match[2] ?? '').toUpperCase()] ?? Number.NaN), 2 ** 50);
}

function bounded(value: number, most: number): number | undefined {
  return value >= 0 && value <= most ? Math.round(value) : undefined;
}

/** Milliseconds as a person writes them: the largest unit that comes out whole. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const per = millisecondsPer[unit] ?? 1;
    if (milliseconds >= per && milliseconds % per === 0) return `${milliseconds / per}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** Bytes as a person writes them: the largest unit that comes out whole. */
export function formatSize(bytes: number): string {
  for (const unit of ['G', 'M', 'K']) {
    const per = bytesPer[unit] ?? 1;
    if (bytes >= per && bytes % per === 0) return `${bytes / per}${unit}`;
  }
  return String(bytes);
}

/** A key that holds a duration of at least `leastMs`; read as milliseconds. */
export function durationKey(leastMs: number) {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const parsed = parseDuration(value);
    if (parsed !== undefined && parsed >= leastMs) return parsed;
    context.issues.push({ code: 'custom', input: value, message: 'is not a duration that fits here' });
    return z.NEVER;
  });
}

/** A key that holds a size of at least `least` bytes; read as bytes. */
export function sizeKey(least: number) {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const parsed = parseSize(value);
    if (parsed !== undefined && parsed >= least) return parsed;
    context.issues.push({ code: 'custom', input: value, message: 'is not a size that fits here' });
    return z.NEVER;
  });
}
