/**
 * What becomes of a site whose PHP fails: each failure in a row makes the pause before the next start longer, and
 * after so many the site is given up until somebody has looked at it. Pure.
 *
 * | event | counts |
 * |---|---|
 * | a start failed | always |
 * | a worker crashed | only while no request has ever ended properly since the site came into force |
 * | a worker was forked | as the end of a row of failed starts |
 * | a request ended properly | as the end of any row |
 *
 * A crash says something about the site only before anything has worked. Later it says something about a request, and
 * visitors choose their requests: whoever has found one that crashes PHP must not be able to switch the site off.
 */

import { afterFailure, type BackOff, noFailure } from './back-off.js';

export interface Trouble extends BackOff {
  /** A request has ended properly since the site came into force. */
  readonly hasServed: boolean;
  /** What failed last. */
  readonly last?: 'start-failed' | 'worker-crashed';
}

export type TroubleEvent = 'start-failed' | 'worker-crashed' | 'forked' | 'served';

export const noTrouble: Trouble = { ...noFailure, hasServed: false };
const sound: Trouble = { ...noFailure, hasServed: true };

export function afterEvent(before: Trouble, event: TroubleEvent, nowMs: number): Trouble {
  if (event === 'served') return sound;
  const { hasServed, last } = before;
  if (event === 'forked') return last === 'start-failed' ? { ...noFailure, hasServed } : before;
  if (event === 'worker-crashed' && hasServed) return before;
  const { failures, notBeforeMs } = afterFailure(before, nowMs);
  // A worker that crashes has cost one request; the next one need not wait for it.
  return {
    failures,
    notBeforeMs: event === 'start-failed' ? notBeforeMs : before.notBeforeMs,
    hasServed,
    last: event,
  };
}

/** @param mostFailures in a row; 0: it is never given up */
export function isHopeless({ failures }: Trouble, mostFailures: number): boolean {
  return mostFailures > 0 && failures >= mostFailures;
}
