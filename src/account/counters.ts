/** Counts of outcomes, per site, since the router started. */

import type { Outcome } from './outcome.js';

export class Counters {
  served = 0;
  refused = 0;
  crashed = 0;

  count(outcome: Outcome): void {
    if (outcome.endedBy === 'crash') this.crashed++;
    else if (outcome.reason === '') this.served++;
    else this.refused++;
  }
}
