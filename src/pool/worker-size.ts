/**
 * What a worker of a site takes of the machine's memory, learnt while workers run: the largest that was seen, which is
 * slowly forgotten, so that a site which has become smaller gets more workers again. Pure.
 */

export interface WorkerSize {
  readonly bytes: number;
  readonly atMs: number;
}

/** Of a site of which nothing is known yet. */
export const unknownBytes = 32 * 1024 ** 2;
/** After that half of what was more than the present size is forgotten. */
const halfLifeMs = 3_600_000;

/** @param seenBytes of one worker, now; 0: it could not be read, and nothing is learnt */
export function learn(
  before: WorkerSize | undefined,
  seenBytes: number,
  nowMs: number,
): WorkerSize | undefined {
  if (seenBytes <= 0) return before;
  if (before === undefined || seenBytes >= before.bytes) return { bytes: seenBytes, atMs: nowMs };
  const kept = 0.5 ** (Math.max(0, nowMs - before.atMs) / halfLifeMs);
  return { bytes: Math.round(seenBytes + (before.bytes - seenBytes) * kept), atMs: nowMs };
}
