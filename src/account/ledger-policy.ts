/** Which requests get a line of their own in the ledger. All of them count in the sums of `guise usage`. Pure. */

import type { Outcome } from './outcome.js';

export type LedgerKind = 'all' | 'errors' | 'off';

export interface LedgerPolicy {
  readonly ledger: LedgerKind;
  /** The share of ordinary requests that are written, 0 to 1. */
  readonly ledgerSample: number;
  /** Ordinary requests that took less time than this, waiting included, are not written. */
  readonly ledgerSlowerThanMs: number;
}

/**
 * An error is what guise refused or ended, a crash, and whatever was answered with 500 or above: always written, but
 * with "off".
 *
 * @param chance from 0 to below 1
 */
export function isWanted(policy: LedgerPolicy, outcome: Outcome, chance: number): boolean {
  if (policy.ledger === 'off') return false;
  if (outcome.reason !== '' || outcome.status >= 500) return true;
  if (policy.ledger === 'errors') return false;
  return chance < policy.ledgerSample && outcome.queueMs + outcome.runMs >= policy.ledgerSlowerThanMs;
}
