/** How sites compare that share the machine: pool/sharing.ts says what for. Pure. */

/** A site that has workers or asks for one. */
export interface Party {
  readonly site: number;
  readonly weight: number;
  /** It can give up a busy worker at the end of a request. */
  readonly canYield: boolean;
  /** What a worker of it takes. */
  bytes: number;
  workers: number;
  /** When it last got one. */
  gainedMs: number;
  /** Until when its turn lasts, though its last worker has ended: it ends with each request in per-request mode. */
  turnUntilMs: number;
  isInTurn: boolean;
  wish: 'need' | 'spare' | undefined;
  /** Since when it has asked for that. */
  sinceMs: number;
  /** Until when room is kept for it. */
  offeredMs: number | undefined;
  /** Until when it is expected to give one up. */
  yieldMs: number | undefined;
}

/** What it has for its weight. */
export function shareOf({ workers, weight }: Party): number {
  return workers / weight;
}

/** Whether it is the turn of `a` before that of `b`. */
export function fewer(a: Party, b: Party): boolean {
  if (a.wish !== b.wish) return a.wish === 'need';
  if (a.isInTurn !== b.isInTurn) return a.isInTurn;
  const [one, other] = [shareOf(a), shareOf(b)];
  return one === other ? a.sinceMs < b.sinceMs : one < other;
}

/** Of two that have the same: whether `b` has had it for longer. */
export function later(a: Party, b: Party): boolean {
  return shareOf(a) === shareOf(b) && b.gainedMs < a.gainedMs;
}

/** Whether a busy site is to give one of its workers up for one that waits. */
export function mayYield(party: Party, asker: Party, nowMs: number, turnMs: number): boolean {
  if (party.workers === 0 || party.yieldMs !== undefined || !party.canYield) return false;
  // It keeps at least what the other one gets: the two cannot take from one another in turns.
  if ((party.workers - 1) / party.weight >= (asker.workers + 1) / asker.weight) return true;
  const isStarving = asker.workers === 0 && nowMs - asker.sinceMs >= turnMs;
  return isStarving && nowMs - party.gainedMs >= turnMs * party.weight;
}
