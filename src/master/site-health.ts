/**
 * Whether a site may be started: what has failed, when the next attempt may be made, and whether any may. Policy is in
 * pool/trouble.ts. Privilege: root, and it touches nothing.
 */

import { mayTry } from '../pool/back-off.js';
import { afterEvent, isHopeless, noTrouble, type Trouble, type TroubleEvent } from '../pool/trouble.js';
import type { Site } from '../site/site.js';
import type { Lane } from './lane.js';
import type { Lives } from './lives.js';
import type { Surroundings } from './surroundings.js';

/** Words that a visitor's refusal has too. */
export type OutOfService = 'disabled' | 'quarantined';

/** What is to be known of a site beside its configuration. */
export interface Standing {
  readonly outOfService?: OutOfService | undefined;
  /** What went wrong under its name before. */
  readonly problem?: string | undefined;
}

type Around = Pick<Surroundings, 'log' | 'nowMs' | 'quarantined'>;
type Progress = Pick<Lane, 'progress'>;

interface Owner {
  readonly id: number;
  readonly site: Site;
  readonly lives: Lives;
}

export class SiteHealth {
  /** Why no worker is given. */
  outOfService: OutOfService | undefined;
  lastProblem: string | undefined;
  #trouble: Trouble = noTrouble;
  /** Of its lane when something last failed. */
  #progress = 0;
  readonly #owner: Owner;
  readonly #around: Around;
  readonly #lane: Progress;

  constructor(owner: Owner, around: Around, lane: Progress, standing: Standing) {
    this.#owner = owner;
    this.#around = around;
    this.#lane = lane;
    this.outOfService = standing.outOfService;
    this.lastProblem = standing.problem;
  }

  get mayTry(): boolean {
    return mayTry(this.#trouble, this.#around.nowMs());
  }

  sound(): void {
    this.#trouble = afterEvent(this.#trouble, 'served', this.#around.nowMs());
  }

  /** A worker has been born. */
  forked(): void {
    this.#trouble = afterEvent(this.#trouble, 'forked', this.#around.nowMs());
  }

  startFailed(problem: string): void {
    this.#owner.lives.failedStarts++;
    this.lastProblem = problem;
    this.#failed('start-failed');
    const { failures } = this.#trouble;
    this.#around.log.error({ site: this.#owner.site.name, problem, failures }, 'site does not start');
    this.#judge();
  }

  workerCrashed(): void {
    this.#failed('worker-crashed');
    this.#judge();
  }

  lift(): void {
    if (this.outOfService === 'quarantined') this.outOfService = undefined;
    this.#trouble = noTrouble;
  }

  /** What has worked since the last failure comes first. */
  #failed(event: TroubleEvent): void {
    const progress = this.#lane.progress();
    if (progress > this.#progress) this.sound();
    this.#progress = progress;
    this.#trouble = afterEvent(this.#trouble, event, this.#around.nowMs());
  }

  #judge(): void {
    const { site } = this.#owner;
    if (this.outOfService !== undefined || !isHopeless(this.#trouble, site.quarantineAfter)) return;
    this.outOfService = 'quarantined';
    const { failures } = this.#trouble;
    this.#around.log.error({ site: site.name, problem: this.lastProblem, failures }, 'site quarantined');
    this.#around.quarantined(this.#owner.id);
  }
}
