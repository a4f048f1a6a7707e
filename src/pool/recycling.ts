/**
 * Which worker of a site is to be replaced by a new one: it has become too old or, measured after a request, too large.
 * One at a time, so that a site never loses all of its workers at once; the one that is going has gone before the next
 * is chosen. Pure.
 */

export interface Wear {
  readonly worker: number;
  readonly ageMs: number;
  /** What it took after a request; 0: that is not known. */
  readonly bytes: number;
}

export interface WearLimits {
  /** 0: none, of either. */
  readonly maxAgeMs: number;
  readonly maxMemoryBytes: number;
}

export type WearReason = 'age' | 'memory';

/** What is to go, and why: the largest of those that are too large, else the oldest of those that are too old. */
export function wornOut(
  workers: readonly Wear[],
  { maxAgeMs, maxMemoryBytes }: WearLimits,
): { readonly worker: number; readonly reason: WearReason } | undefined {
  const large = most(workers, ({ bytes }) => bytes);
  if (maxMemoryBytes > 0 && large !== undefined && large.bytes > maxMemoryBytes)
    return { worker: large.worker, reason: 'memory' };
  const old = most(workers, ({ ageMs }) => ageMs);
  if (maxAgeMs > 0 && old !== undefined && old.ageMs > maxAgeMs) return { worker: old.worker, reason: 'age' };
  return undefined;
}

function most(workers: readonly Wear[], of: (wear: Wear) => number): Wear | undefined {
  let found: Wear | undefined;
  for (const wear of workers) if (found === undefined || of(wear) > of(found)) found = wear;
  return found;
}
