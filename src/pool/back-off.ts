/**
 * When to try again after something has failed: each failure in a row doubles the pause. Pure.
 */

export interface BackOff {
  readonly failures: number;
  /** No attempt before this moment. */
  readonly notBeforeMs: number;
}

export const noFailure: BackOff = { failures: 0, notBeforeMs: 0 };

const firstPauseMs = 200;
const longestPauseMs = 30_000;

export function afterFailure(before: BackOff, nowMs: number): BackOff {
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** before.failures);
  return { failures: before.failures + 1, notBeforeMs: nowMs + pauseMs };
}

export function mayTry(state: BackOff, nowMs: number): boolean {
  return nowMs >= state.notBeforeMs;
}
