/**
 * How all sites share the workers and the memory of the machine: who gets room now, how many idle workers are to be
 * given up for those who wait, and which busy site gives one up at the end of a request. Pure: it is told what
 * happens and what time it is (milliseconds), and says what is to be done; it starts and ends nothing itself.
 *
 * A site that finds no room asks. It is offered room when it is its turn, and comes for it or declines; so what it
 * gets is what it needs then, not what it needed when it began to wait.
 *
 * | rule | |
 * |---|---|
 * | whose turn it is | of those with waiting requests the one with the fewest workers for its weight, then who has waited longest; those who only want a spare worker come after all others |
 * | idle workers | are given up while anybody waits with requests, the longest idle first, whoever has them |
 * | busy sites | give one up where it still leaves them as much for their weight as it brings the one who waits |
 * | too much | where all together are above the limits, idle workers go, then busy ones of the sites that take most |
 * | more sites than room | a site without any worker gets one from the site that has had its own longest, after a while (`turnMs`) |
 *
 * What has been asked for and does not come lapses: nobody waits for a router that has died.
 */

import { excess } from './excess.js';
import { fewer, later, mayYield, type Party, shareOf } from './shares.js';

export interface SharingLimits {
  readonly maxWorkers: number;
  /** Of the workers of all sites together. */
  readonly memoryBytes: number;
}

/** `need`: requests wait for it. `spare`: it would be kept ahead of demand. */
export type Wish = 'need' | 'spare';

export interface Claim {
  readonly site: number;
  readonly weight: number;
  /** What a worker of it takes. */
  readonly bytes: number;
  /** It can give up a busy worker at the end of a request. */
  readonly canYield: boolean;
}

export interface Acts {
  /** Sites that may ask again: there is room for one worker of each. */
  readonly offers: readonly number[];
  /** So many idle workers are to be given up from now on, until another number is said. */
  readonly shortage: number;
  /** Sites that are to give up one worker at the end of a request. */
  readonly yields: readonly number[];
}

/** What was offered or asked for, and has not come, is as if it had not been. */
export const lapseMs = 500;
/** How often busy sites are compared with those who wait. */
export const lookMs = 20;
/** So long a site without any worker waits before one that has one must make place, and that one keeps it. */
export const turnMs = 1000;

export class Sharing {
  limits: SharingLimits;
  /** Those that have workers or ask. */
  readonly #parties = new Map<number, Party>();
  readonly #askers = new Set<Party>();
  #workers = 0;
  #bytes = 0;
  /** When those lapse that have been given up and have not yet ended. */
  #leaving: number[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** Of those who wait with requests and have not been offered anything. */
  #needs = 0;
  /** Nobody had enough idle workers when last asked. */
  #isNobodyIdle = false;

  constructor(limits: SharingLimits) {
    this.limits = limits;
  }

  get workers(): number {
    return this.#workers;
  }

  /** What all workers take, as far as is known. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sites that wait with requests. */
  get needCount(): number {
    let count = 0;
    for (const { wish } of this.#askers) if (wish === 'need') count++;
    return count;
  }

  get askerCount(): number {
    return this.#askers.size;
  }

  workersOf(site: number): number {
    return this.#parties.get(site)?.workers ?? 0;
  }

  /** One more worker, if there is room and it is nobody else's turn. The caller starts it, and says when it has ended. */
  take(claim: Claim, nowMs: number): boolean {
    const party = this.#partyOf(claim);
    const isOffered = party.offeredMs !== undefined;
    party.offeredMs = undefined;
    const isOthersTurn = !isOffered && this.#hasNeed(party);
    if (isOthersTurn || !this.#fits(party)) {
      this.#tidy(party);
      return false;
    }
    party.workers++;
    if (nowMs >= party.turnUntilMs) party.gainedMs = nowMs;
    party.turnUntilMs = 0;
    party.isInTurn = false;
    this.#workers++;
    this.#bytes += party.bytes;
    this.#ask(party, undefined, nowMs);
    return true;
  }

  /** One of its workers has ended. */
  give(site: number): void {
    const party = this.#parties.get(site);
    if (party === undefined || party.workers === 0) throw new Error('a worker has ended that nobody had');
    party.workers--;
    const hasYielded = party.yieldMs !== undefined;
    party.yieldMs = undefined;
    if (party.workers === 0 && !hasYielded) party.turnUntilMs = party.gainedMs + turnMs * party.weight;
    this.#workers--;
    this.#bytes -= party.bytes;
    this.#leaving.shift();
    this.#tidy(party);
  }

  /** It found no room and waits; undefined: it does not any more. */
  ask(claim: Claim, wish: Wish | undefined, nowMs: number): void {
    const party = this.#partyOf(claim);
    party.offeredMs = undefined;
    this.#ask(party, wish, nowMs);
    this.#tidy(party);
  }

  /** It has been offered room, and does not come. */
  decline(site: number): void {
    const party = this.#parties.get(site);
    if (party?.offeredMs === undefined) return;
    party.offeredMs = undefined;
    this.#ask(party, undefined, 0);
    this.#tidy(party);
  }

  /** Sites that have workers. */
  *holders(): Iterable<number> {
    for (const { site, workers } of this.#parties.values()) if (workers > 0) yield site;
  }

  /** A worker of it takes so much. */
  weigh(site: number, bytes: number): void {
    const party = this.#parties.get(site);
    if (party === undefined) return;
    this.#bytes += (bytes - party.bytes) * party.workers;
    party.bytes = bytes;
  }

  /** So many idle workers are about to end. `isAll`: there are no more. */
  gaveUp(count: number, isAll: boolean, nowMs: number): void {
    for (let i = 0; i < count; i++) this.#leaving.push(nowMs + lapseMs);
    this.#isNobodyIdle = isAll;
  }

  /** What is to be done now. To be asked after every event while somebody asks, and at `wakeMs`. */
  next(nowMs: number): Acts {
    this.#lapse(nowMs);
    const offers: number[] = [];
    for (let party = this.#nextAsker(); party !== undefined && this.#fits(party); party = this.#nextAsker()) {
      party.offeredMs = nowMs + lapseMs;
      offers.push(party.site);
    }
    this.#needs = this.#waiting().length;
    const going = this.isOver ? excess(this.#parties.values(), this.limits) : [];
    const wanted = this.#needs + going.length;
    const coming = this.#leaving.length + this.#yielding();
    if (wanted === 0) this.#isNobodyIdle = false;
    const yields = wanted > coming && this.#isNobodyIdle ? this.#yields(going, coming, nowMs) : [];
    return { offers, shortage: Math.max(0, wanted - coming - yields.length), yields };
  }

  /** Whether all together have more than they may. */
  get isOver(): boolean {
    const { maxWorkers, memoryBytes } = this.limits;
    return this.#workers > maxWorkers || (this.#bytes > memoryBytes && this.#workers > 1);
  }

  /** When `next` may say something else though nothing has happened; undefined while nobody asks, nor has too much. */
  wakeMs(nowMs: number): number | undefined {
    if (this.#askers.size === 0 && !this.isOver) return undefined;
    return nowMs + (this.#needs > 0 ? lookMs : lapseMs / 2);
  }

  #partyOf({ site, weight, bytes, canYield }: Claim): Party {
    const known = this.#parties.get(site);
    if (known !== undefined) return known;
    const party: Party = {
      site,
      weight,
      bytes,
      canYield,
      workers: 0,
      gainedMs: 0,
      turnUntilMs: 0,
      isInTurn: false,
      wish: undefined,
      sinceMs: 0,
      offeredMs: undefined,
      yieldMs: undefined,
    };
    this.#parties.set(site, party);
    return party;
  }

  #ask(party: Party, wish: Wish | undefined, nowMs: number): void {
    if (wish === undefined) this.#askers.delete(party);
    else if (party.wish !== wish) {
      party.sinceMs = nowMs;
      this.#askers.add(party);
    }
    party.wish = wish;
  }

  /** Who has nothing and wants nothing is not remembered. */
  #tidy(party: Party): void {
    if (party.workers === 0 && party.wish === undefined && party.offeredMs === undefined)
      this.#parties.delete(party.site);
  }

  /** Whether there is room for one more worker of it beside what has been offered to others. */
  #fits(party: Party): boolean {
    const { maxWorkers, memoryBytes } = this.limits;
    let workers = this.#workers + 1;
    let bytes = this.#bytes + party.bytes;
    for (const other of this.#askers) {
      if (other === party || other.offeredMs === undefined) continue;
      workers++;
      bytes += other.bytes;
    }
    // One that is larger than all the memory that there may be runs alone.
    return workers <= maxWorkers && (bytes <= memoryBytes || workers === 1);
  }

  #hasNeed(except: Party): boolean {
    for (const party of this.#askers)
      if (party !== except && party.wish === 'need' && party.offeredMs === undefined) return true;
    return false;
  }

  #nextAsker(): Party | undefined {
    let best: Party | undefined;
    for (const party of this.#askers)
      if (party.offeredMs === undefined && (best === undefined || fewer(party, best))) best = party;
    return best;
  }

  #waiting(): Party[] {
    return [...this.#askers].filter(({ wish, offeredMs }) => wish === 'need' && offeredMs === undefined);
  }

  #yielding(): number {
    let count = 0;
    for (const { yieldMs } of this.#parties.values()) if (yieldMs !== undefined) count++;
    return count;
  }

  /** Of what is coming, those that are too many get nothing, then whose turn it is: the others must be given up for. */
  #yields(going: readonly Party[], coming: number, nowMs: number): number[] {
    if (nowMs - this.#lookedMs < lookMs) return [];
    this.#lookedMs = nowMs;
    const yields: number[] = [];
    for (const party of going.slice(coming)) {
      if (party.yieldMs !== undefined) continue;
      party.yieldMs = nowMs + lapseMs;
      yields.push(party.site);
    }
    const waiting = this.#waiting().sort((a, b) => (fewer(a, b) ? -1 : 1));
    for (const asker of waiting.slice(Math.max(0, coming - going.length))) {
      let victim: Party | undefined;
      for (const party of this.#parties.values()) {
        if (party === asker || !mayYield(party, asker, nowMs, turnMs)) continue;
        if (victim === undefined || shareOf(party) > shareOf(victim) || later(victim, party)) victim = party;
      }
      if (victim === undefined) continue;
      victim.yieldMs = nowMs + lapseMs;
      yields.push(victim.site);
    }
    return yields;
  }

  #lapse(nowMs: number): void {
    this.#leaving = this.#leaving.filter((untilMs) => untilMs > nowMs);
    for (const party of this.#parties.values()) {
      if (party.yieldMs !== undefined && party.yieldMs <= nowMs) party.yieldMs = undefined;
      party.isInTurn = party.turnUntilMs > nowMs;
      if (party.offeredMs === undefined || party.offeredMs > nowMs) continue;
      // It had its turn.
      party.offeredMs = undefined;
      party.sinceMs = nowMs;
    }
  }
}
