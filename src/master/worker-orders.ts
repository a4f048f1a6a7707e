/**
 * Orders workers of one site: from its template, which is started for it, or by starting the program that the site is.
 * Says why where none can be had. Privilege: root.
 */

import { noWorkerReason } from '../control/router-messages.js';
import type { Report } from '../control/template-messages.js';
import { messageOf } from '../error.js';
import type { Site } from '../site/site.js';
import type { Lane } from './lane.js';
import type { Lives } from './lives.js';
import { orderProgram } from './program-process.js';
import type { SiteHealth } from './site-health.js';
import type { SiteTemplate } from './site-template.js';
import type { Surroundings } from './surroundings.js';
import type { TemplateProcess } from './template-process.js';
import type { WorkerTable } from './worker-table.js';

interface Owner {
  readonly id: number;
  readonly site: Site;
  readonly isClosing: boolean;
  readonly workers: WorkerTable;
  readonly lane: Lane;
  readonly lives: Lives;
  readonly health: SiteHealth;
}

type Reported = (report: Report, pid: number, uid: number) => void;

export class WorkerOrders {
  readonly #owner: Owner;
  readonly #around: Surroundings;
  readonly #template: SiteTemplate;
  readonly #reported: Reported;

  constructor(owner: Owner, around: Surroundings, template: SiteTemplate, reported: Reported) {
    this.#owner = owner;
    this.#around = around;
    this.#template = template;
    this.#reported = reported;
  }

  /** One more worker. Returns why there is none (noWorkerReason), or undefined. */
  order(): number | undefined {
    const { site, isClosing, workers, health } = this.#owner;
    if (isClosing) return noWorkerReason.stopping;
    if (workers.size >= site.maxWorkers) return noWorkerReason.siteLimit;
    const mustStart = site.command !== undefined || this.#template.process === undefined;
    if (mustStart && !health.mayTry) return noWorkerReason.throttled;
    if (site.command !== undefined) return this.#startProgram();
    if (!this.#around.budget.take(this.#owner)) return noWorkerReason.machineLimit;
    const template = this.#template.process ?? this.#startTemplate();
    if (template !== undefined) {
      this.#fork(template);
      return undefined;
    }
    this.#around.budget.give(this.#owner);
    return noWorkerReason.startFailed;
  }

  #fork(template: TemplateProcess): void {
    const { site, workers, lane } = this.#owner;
    const id = this.#around.budget.nextWorkerId();
    const { ours, theirs, slot } = lane.forWorker(id);
    workers.ordered(id, ours);
    this.#template.stay();
    const order = { worker: id, oneJob: site.mode === 'per-request', isDirect: lane.isDirect, slot };
    if (!template.fork(order, theirs)) template.kill();
  }

  /** A site that is not PHP has no template. */
  #startProgram(): number | undefined {
    const { workers, lane, lives, health } = this.#owner;
    const { budget, programs } = this.#around;
    const tables = { budget, workers, lane, lives };
    return orderProgram(programs, this.#owner, tables, (problem) => health.startFailed(problem));
  }

  #startTemplate(): TemplateProcess | undefined {
    try {
      return this.#template.start(this.#reported);
    } catch (thrown) {
      this.#owner.health.startFailed(messageOf(thrown));
      return undefined;
    }
  }
}
