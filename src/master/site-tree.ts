/**
 * What the scripts of one site have started. A running worker holds its own tree: it is a subreaper, so nothing leaves
 * it by a session of its own or by forking twice. When the worker ends, what is left of its tree comes to the template,
 * the next subreaper above. There it is told from workers, and ended: at once where the worker was killed, and
 * otherwise unless the site keeps it. Behind a template that has died, the master is the next: see orphans.ts.
 *
 * Privilege: root. Who is whose child is the kernel's word; a pid is signalled only while it is the template's child
 * and the site's user has started it.
 */

import type { Logger } from 'pino';
import { LineBudget } from '../account/line-budget.js';
import { childrenOf, endChildren } from '../os/tree.js';
import type { Site } from '../site/site.js';
import type { WorkerTable } from './worker-table.js';

/** Soon after a worker has ended by itself; the ends of many are looked at together. */
const calmMs = 50;
/** While something is being ended. */
const hurryMs = 2;
/** Of the master's time, for all sites. */
const budgetMs = 1;
/** So many looks in a hurry; what is still there then waits in the kernel, or forks as fast as it dies. */
const hurriedLooks = 500;
const patientMs = 500;
/** Of the master's time then: seldom, but for long enough to outrun a chain of forks on a machine that is busy. */
const patientBudgetMs = 10;
/** A template that forks nobody for half a minute has been stopped, or is none. */
const looksBeforeGivingUp = hurriedLooks + 60;

export interface TreeOwner {
  readonly site: Site;
  readonly workers: WorkerTable;
  readonly templatePid: number | undefined;
  /** Workers may be ordered again: so many had to wait. */
  demand(count: number): void;
  /** Its template does not do what it is told. */
  giveUpTemplate(): void;
}

export class SiteTree {
  readonly #owner: TreeOwner;
  readonly #log: Logger;
  readonly #lines = new LineBudget(1);
  /** Workers that have been killed, until they are dead. */
  readonly #killed = new Set<number>();
  /** What the site keeps: it was there before the first of them was killed. */
  #kept: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #isHolding = false;
  #held = 0;

  constructor(owner: TreeOwner, log: Logger) {
    this.#owner = owner;
    this.#log = log;
  }

  /** Something of it is left that is to stay. */
  get isKeeping(): boolean {
    return this.#owner.site.background === 'keep' && this.#strays().length > 0;
  }

  /**
   * Whether workers are to wait that would be ordered now: until it is born, nobody could tell one from what is to be
   * ended. They are asked for again by `demand`.
   */
  hold(count: number): boolean {
    if (this.#isHolding) this.#held = Math.min(this.#held + count, this.#owner.site.maxWorkers);
    return this.#isHolding;
  }

  /** A worker's process has ended. */
  workerEnded(): void {
    if (this.#killed.size > 0) return;
    if (this.#owner.site.background === 'end') this.#timer ??= this.#comeAgain(calmMs);
  }

  /** Kills a worker, and everything that it has started. */
  end(worker: number): void {
    const { workers, site } = this.#owner;
    if (this.#killed.size === 0 && site.background === 'keep') this.#kept = this.#strays();
    this.#killed.add(worker);
    workers.kill(worker);
    clearTimeout(this.#timer);
    this.#looks = 0;
    this.#timer = this.#comeAgain(0);
  }

  /** Nothing is looked at any more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #comeAgain(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, ms);
  }

  /** Children of the template that are no workers. */
  #strays(): number[] {
    const { templatePid, workers } = this.#owner;
    if (templatePid === undefined) return [];
    return childrenOf(templatePid).filter((pid) => workers.withPid(pid) === undefined);
  }

  #look(): void {
    const { workers } = this.#owner;
    for (const worker of this.#killed) if (!workers.isAlive(worker)) this.#killed.delete(worker);
    const hasStrays = this.#strays().some((pid) => !this.#kept.includes(pid));
    const isOver = !hasStrays || this.#endStrays();
    if (isOver && this.#killed.size === 0) this.#finish();
    else this.#hurry();
  }

  #hurry(): void {
    this.#looks++;
    this.#timer ??= this.#comeAgain(this.#looks < hurriedLooks ? hurryMs : patientMs);
  }

  /** Returns whether nothing is left. */
  #endStrays(): boolean {
    const { workers, site, templatePid } = this.#owner;
    // One of them may be a worker that has not yet said so.
    this.#isHolding = true;
    if (workers.unborn().length > 0) {
      if (this.#looks > looksBeforeGivingUp) this.#owner.giveUpTemplate();
      return false;
    }
    const hunt = { spare: [...workers.pids, ...this.#kept], uids: [site.user.uid] };
    // What has ended by itself and has not been waited for is not found.
    const found = endChildren(templatePid ?? -1, { ...hunt, budgetMs: 0 });
    if (found === 0) return true;
    if (this.#looks === 0 && this.#killed.size === 0) this.#tell(found);
    const budget = this.#looks < hurriedLooks ? budgetMs : patientBudgetMs;
    return endChildren(templatePid ?? -1, { ...hunt, budgetMs: budget }) === 0;
  }

  #tell(count: number): void {
    const suppressed = this.#lines.take(performance.now());
    if (suppressed === undefined) return;
    this.#log.info({ site: this.#owner.site.name, count, suppressed }, 'background processes ended');
  }

  #finish(): void {
    this.#kept = [];
    this.#looks = 0;
    this.#isHolding = false;
    const held = this.#held;
    this.#held = 0;
    if (held > 0) this.#owner.demand(held);
  }
}
