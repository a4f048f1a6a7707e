/**
 * Why a request was refused, one word each, in the order of the messages that count them. What a reason means to the
 * visitor is in router/refusals.ts, what it means to the administrator in router/refusal-texts.ts.
 */

export const refusalReasons = [
  'unknown-role',
  'malformed-params',
  'too-many-params',
  'params-too-large',
  'body-too-large',
  'body-cut-short',
  'spool-full',
  'spool-failed',
  'read-timeout',
  'no-key',
  'wrong-key',
  'other-key',
  'no-site',
  'auto-refused',
  'queue-full',
  'queue-timeout',
  'machine-limit',
  'start-failed',
  'quarantined',
  'disabled',
  'stopping',
  'worker-died',
  'time-limit',
  'visitor-left',
  'killed',
  'script-not-named',
  'script-bad-path',
  'script-not-found',
  'script-outside-root',
  'script-not-regular',
  'script-suffix',
  'script-owner',
  'script-writable',
  'script-setid',
  'script-unreadable',
  'script-dir-owner',
  'script-dir-writable',
  'script-no-root',
  'script-bad-params',
] as const;

export type CountedReason = (typeof refusalReasons)[number];

const positions: ReadonlyMap<string, number> = new Map(refusalReasons.map((reason, i) => [reason, i]));

/** Where a reason stands in the list; -1 for what is none. */
export function positionOf(reason: string): number {
  return positions.get(reason) ?? -1;
}
