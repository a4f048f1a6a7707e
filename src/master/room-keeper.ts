/**
 * Carries out what pool/sharing.ts decides while sites wait for room: tells whose turn it is, has idle workers given up,
 * and has busy sites give one up at the end of a request. While nobody waits, nor has too much, it has no timer.
 *
 * Idle workers of the routed lane are the router's to find, those of the others the lanes'. The longest idle go first:
 * the router is asked for those that have been idle for longer than any that a lane has, then the lanes, then the
 * router again for any.
 *
 * Privilege: root. What the router says counts for half a second.
 */

import { toRouter } from '../control/router-messages.js';
import { lapseMs } from '../pool/sharing.js';
import type { RouterLink } from './router-link.js';
import type { SiteRuntime } from './site-runtime.js';
import type { WorkerBudget } from './worker-budget.js';

export interface RoomSurroundings {
  readonly byId: (id: number) => SiteRuntime | undefined;
  readonly router: () => Pick<RouterLink, 'tell' | 'pid'> | undefined;
  readonly nowMs: () => number;
}

interface Question {
  /** How many the router still has to find, as far as it has been told. */
  left: number;
  /** Only such as have been idle for longer than those of the lanes. */
  readonly isFirst: boolean;
  readonly askedMs: number;
  isAnswered: boolean;
}

export class RoomKeeper {
  readonly #budget: WorkerBudget;
  readonly #around: RoomSurroundings;
  #question: Question | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isScheduled = false;

  constructor(budget: WorkerBudget, around: RoomSurroundings) {
    this.#budget = budget;
    this.#around = around;
    budget.onChange(() => this.#schedule());
  }

  /** The router ends so many idle workers; `isAll`: it has no more. */
  gaveUp(count: number, isAll: boolean): void {
    const question = this.#question;
    if (question === undefined) return;
    const ending = Math.min(count, question.left);
    question.left -= ending;
    question.isAnswered = true;
    this.#budget.sharing.gaveUp(ending, isAll && !question.isFirst, this.#around.nowMs());
    if (question.isFirst) {
      const left = question.left - this.#giveUpSelfServing(question.left);
      this.#question = undefined;
      if (left > 0) this.#ask(left, false);
    }
    this.#schedule();
  }

  /** The new one knows of nobody who waits, and asks for what it needs. */
  routerDied(sites: Iterable<SiteRuntime>): void {
    this.#question = undefined;
    for (const runtime of sites) if (runtime.site.dispatch === 'router') this.#budget.ask(runtime, undefined);
  }

  #schedule(): void {
    const { sharing } = this.#budget;
    const isQuiet = sharing.askerCount === 0 && !sharing.isOver && this.#question === undefined;
    if (this.#isScheduled || isQuiet) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    const { sharing } = this.#budget;
    const nowMs = this.#around.nowMs();
    const { offers, shortage, yields } = sharing.next(nowMs);
    for (const id of offers) this.#offer(id);
    for (const id of yields) this.#around.byId(id)?.lane.yieldOne();
    this.#tell(shortage, nowMs);
    clearTimeout(this.#timer);
    const wakeMs = sharing.wakeMs(nowMs);
    if (wakeMs !== undefined) this.#timer = setTimeout(() => this.#run(), wakeMs - nowMs);
  }

  #offer(id: number): void {
    const runtime = this.#around.byId(id);
    runtime?.lane.room();
    // The router answers. A lane in the master has done so by now.
    if (runtime === undefined || runtime.site.dispatch !== 'router') this.#budget.sharing.decline(id);
  }

  /** How many idle workers are to be given up: said again only where it is another number than what was said. */
  #tell(shortage: number, nowMs: number): void {
    const question = this.#question;
    const isLate = question !== undefined && !question.isAnswered && nowMs - question.askedMs > lapseMs;
    if (shortage === (question?.left ?? 0) && !isLate) return;
    if (question !== undefined && !question.isAnswered && !isLate) return;
    if (shortage === 0) {
      this.#question = undefined;
      this.#around.router()?.tell(toRouter.shortage, 0, 0, 0, 0);
    } else this.#ask(shortage, true);
  }

  #ask(count: number, isFirst: boolean): void {
    const leastIdleMs = isFirst ? this.#longestIdle()?.ms : undefined;
    const router = this.#around.router();
    if (router?.pid === undefined) {
      this.#giveUpSelfServing(count);
      this.#budget.sharing.gaveUp(0, true, this.#around.nowMs());
      return;
    }
    const askedMs = this.#around.nowMs();
    this.#question = { left: count, isFirst: leastIdleMs !== undefined, askedMs, isAnswered: false };
    router.tell(toRouter.shortage, 0, 0, count, leastIdleMs === undefined ? 0 : Math.ceil(leastIdleMs) + 1);
  }

  /** Returns how many it were. */
  #giveUpSelfServing(most: number): number {
    for (let count = 0; count < most; count++) {
      const found = this.#longestIdle();
      if (found === undefined) return count;
      found.runtime.lane.giveUpIdle();
      this.#budget.sharing.gaveUp(1, false, this.#around.nowMs());
    }
    return most;
  }

  /** Of those that accept by themselves. */
  #longestIdle(): { readonly runtime: SiteRuntime; readonly ms: number } | undefined {
    let found: { readonly runtime: SiteRuntime; readonly ms: number } | undefined;
    for (const id of this.#budget.sharing.holders()) {
      const runtime = this.#around.byId(id);
      const ms = runtime?.lane.idleMs();
      if (runtime !== undefined && ms !== undefined && (found === undefined || ms > found.ms))
        found = { runtime, ms };
    }
    return found;
  }
}
