/**
 * The master is the last subreaper: what a script has started comes here when neither its worker nor its template is
 * there any more. Nobody waits for it, so it is ended.
 *
 * Privilege: root. Only the master's own children are signalled, and of these only what a site's user has started:
 * programs with privileges of their own, such as a mail server's, finish what they do.
 */

import { endChildren } from '../os/tree.js';
import type { SiteRuntime } from './site-runtime.js';

const soonMs = 2;
const budgetMs = 1;
/** So many looks in a hurry, then it waits in the kernel. */
const hurriedLooks = 500;
const patientMs = 500;

/** Templates, and workers: those without a template are the master's own children. */
export function processesOf(sites: Iterable<Pick<SiteRuntime, 'templatePid' | 'workers'>>): number[] {
  return [...sites].flatMap(({ templatePid, workers }) => [templatePid ?? 0, ...workers.pids]);
}

export class Orphans {
  readonly #known: () => readonly number[];
  readonly #uids = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  /** @param known the master's own children that are to stay */
  constructor(known: () => readonly number[]) {
    this.#known = known;
  }

  /** A site of this user has processes. */
  expect(uid: number): void {
    this.#uids.add(uid);
  }

  /** A process has ended that others may have been below. */
  look(): void {
    this.#looks = 0;
    this.#timer ??= this.#comeAgain(soonMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #comeAgain(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      this.#end();
    }, ms);
  }

  #end(): void {
    // An empty list would stand for everybody.
    if (this.#uids.size === 0) return;
    const hunt = { spare: this.#known(), uids: [...this.#uids], budgetMs };
    if (endChildren(process.pid, hunt) === 0) return;
    this.#looks++;
    this.#timer ??= this.#comeAgain(this.#looks < hurriedLooks ? soonMs : patientMs);
  }
}
