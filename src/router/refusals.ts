/**
 * The closed table of refusals: what the visitor is told for each reason, and what the log calls it. The visitor
 * learns a status and an id; the rest is in the log.
 */

import type { CountedReason } from '../account/refusal-reasons.js';

export interface RefusalKind {
  readonly status: number;
  /** Seconds for Retry-After, where trying again makes sense. */
  readonly retryAfter?: number;
  /** A sentence for the page. */
  readonly says?: string;
}

const tryAgain = 5;
const outOfService = 'This site is out of service at present.';

export const refusalKinds = {
  // reading (request/reader.ts)
  'unknown-role': { status: 501 },
  'malformed-params': { status: 400 },
  'too-many-params': { status: 431 },
  'params-too-large': { status: 431 },
  'body-too-large': { status: 413 },
  'body-cut-short': { status: 400 },
  'spool-full': { status: 507, retryAfter: 60 },
  'spool-failed': { status: 500 },
  'read-timeout': { status: 408 },
  // identity
  'no-key': { status: 403 },
  'wrong-key': { status: 403 },
  'other-key': { status: 403 },
  'no-site': { status: 404 },
  'auto-refused': { status: 403 },
  // admission
  'queue-full': { status: 503, retryAfter: tryAgain },
  'queue-timeout': { status: 503, retryAfter: tryAgain },
  'machine-limit': { status: 503, retryAfter: tryAgain },
  'start-failed': { status: 502 },
  quarantined: { status: 503, retryAfter: 300, says: outOfService },
  disabled: { status: 503, retryAfter: 3600, says: outOfService },
  stopping: { status: 503, retryAfter: tryAgain },
  // running
  'worker-died': { status: 502 },
  'time-limit': { status: 504 },
  'visitor-left': { status: 499 },
  killed: { status: 502 },
  // the script check in the worker (native/preload/script.h)
  'script-not-named': { status: 404 },
  'script-bad-path': { status: 400 },
  'script-not-found': { status: 404 },
  'script-outside-root': { status: 403 },
  'script-not-regular': { status: 403 },
  'script-suffix': { status: 403 },
  'script-owner': { status: 403 },
  'script-writable': { status: 403 },
  'script-setid': { status: 403 },
  'script-unreadable': { status: 403 },
  'script-dir-owner': { status: 403 },
  'script-dir-writable': { status: 403 },
  'script-no-root': { status: 503 },
  'script-bad-params': { status: 400 },
} as const satisfies Record<CountedReason, RefusalKind>;

export type RefusalReason = keyof typeof refusalKinds;

/** The script check's reasons by number, as in native/preload/script.h. */
const scriptReasons: readonly RefusalReason[] = [
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
];

/** A number that the table does not have is a worker's invention: its request is over all the same. */
export function scriptReason(number: number): RefusalReason {
  return scriptReasons[number - 1] ?? 'worker-died';
}
