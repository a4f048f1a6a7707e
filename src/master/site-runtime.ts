/**
 * One site in the master: its template, its workers, its socket. Gives the router workers when asked, within the
 * site's and the machine's limits, and tells it when one has ended. The uid is always that of the site's own
 * configuration.
 *
 * Privilege: root. Never sees a request.
 */

import type { Figures } from '../account/figures.js';
import { noWorkerReason } from '../control/router-messages.js';
import {
  decodeStatus,
  type Report,
  reportBorn,
  reportExited,
  reportFailed,
  reportReady,
  reportWaiting,
} from '../control/template-messages.js';
import { errnoName, forkHint } from '../os/errno.js';
import { deathText, signalName } from '../os/signal.js';
import { type Site, standIn } from '../site/site.js';
import type { Lane, LaneOwner, LaneSite } from './lane.js';
import { laneSite } from './lane-site.js';
import type { Lives } from './lives.js';
import { SiteHealth, type Standing } from './site-health.js';
import { SiteTemplate } from './site-template.js';
import { SiteTree, type TreeOwner } from './site-tree.js';
import type { Surroundings } from './surroundings.js';
import { WorkerOrders } from './worker-orders.js';
import { WorkerTable } from './worker-table.js';

export class SiteRuntime implements TreeOwner, LaneOwner {
  readonly id: number;
  /** As it runs; only its keys may change while it is in force. */
  site: Site;
  /** As it is configured: another than `site` while something stands in for it. */
  configured: Site;
  readonly workers: WorkerTable;
  readonly health: SiteHealth;
  /** Of all processes that have run under the site's name. */
  readonly lives: Lives;
  /** In milliseconds since 1970. */
  readonly inForceSinceMs = Date.now();
  #closing = false;
  readonly #around: Surroundings;
  /** How its workers get their requests. */
  readonly lane: Lane;
  // Made with the first worker, for most sites never have one.
  #template: SiteTemplate | undefined;
  #orders: WorkerOrders | undefined;
  #tree: SiteTree | undefined;
  /** Workers that were killed on purpose. */
  #ended: Set<number> | undefined;

  constructor(id: number, configured: Site, around: Surroundings, standing: Standing = {}) {
    const site = standing.outOfService === undefined ? configured : standIn(configured);
    this.id = id;
    this.site = site;
    this.configured = configured;
    this.workers = new WorkerTable(site.user.uid);
    this.#around = around;
    this.lives = around.lives(id, site);
    this.lane = around.lane(this);
    this.health = new SiteHealth(this, around, this.lane, standing);
  }

  asLaneSite(): LaneSite {
    return laneSite(this.workers, {
      demand: (count, needed) => this.demand(count, needed),
      end: (worker) => this.end(worker),
      failed: (problem) => this.health.startFailed(problem),
      sound: () => this.health.sound(),
    });
  }

  /** What its scripts have started. */
  get tree(): SiteTree {
    this.#tree ??= new SiteTree(this, this.#around.log);
    return this.#tree;
  }

  #order(): number | undefined {
    this.#template ??= new SiteTemplate(this, this.#around, this.lane, this.lives);
    this.#orders ??= new WorkerOrders(this, this.#around, this.#template, (...report) =>
      this.#reported(...report),
    );
    return this.#orders.order();
  }

  /** Figures of a site that the router does not know. */
  get figures(): Figures | undefined {
    return this.lane.figures();
  }

  /** There is a router that knows nothing yet but that there is this site. */
  introduce(): void {
    this.lane.introduce();
  }

  /** The last thing that went wrong, in one line. */
  get lastProblem(): string | undefined {
    return this.health.lastProblem;
  }

  get templatePid(): number | undefined {
    return this.#template?.pid;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  get isThrottled(): boolean {
    return this.templatePid === undefined && !this.health.mayTry;
  }

  get isStarting(): boolean {
    return this.#template?.isStarting === true;
  }

  /**
   * Somebody asks for `count` workers, of which `needed` are waited for; 0: none is any more. Each is ordered,
   * promised, or refused; where the machine has no room, the site waits until it is offered some.
   */
  demand(count: number, needed = count): void {
    if (count === 0) {
      this.#around.budget.ask(this, undefined);
      return;
    }
    const { outOfService } = this.health;
    if (outOfService !== undefined) {
      this.lane.notGiven(count, noWorkerReason[outOfService]);
      return;
    }
    if (this.tree.hold(count)) return;
    const most = Math.min(count, this.site.maxWorkers);
    for (let left = most; left > 0; left--) {
      const reason = this.#order();
      if (reason === undefined) continue;
      if (reason === noWorkerReason.machineLimit) {
        const wish = most - left < needed ? 'need' : 'spare';
        this.#around.budget.ask(this, wish);
        this.lane.noRoom(left, wish);
        return;
      }
      this.#around.budget.ask(this, undefined);
      const refused = reason === noWorkerReason.siteLimit ? left - this.workers.promise(left) : left;
      if (refused > 0) this.lane.notGiven(refused, reason);
      return;
    }
  }

  /** Kills a worker, and everything that it has started. */
  end(worker: number): void {
    this.#ended ??= new Set();
    this.#ended.add(worker);
    this.tree.end(worker);
  }

  /** The site is the same but for its keys. */
  renew(site: Site): void {
    if (this.site === this.configured) this.site = site;
    this.configured = site;
  }

  giveUpTemplate(): void {
    this.#template?.kill();
  }

  /** No further worker is given; the present ones finish what they run. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#around.budget.ask(this, undefined);
    this.lane.close();
    // While it has workers, it is the template that tells of their end.
    if (this.workers.size === 0) this.#template?.retire();
    else this.#template?.quiet();
  }

  killAll(): void {
    this.#tree?.close();
    this.#template?.kill();
    this.workers.killAll();
  }

  /** A child of the master has ended: was it ours? */
  childDied(pid: number, exitCode: number | null, signal: number | null): boolean {
    if (this.#template !== undefined && pid === this.#template.pid) {
      this.#templateDied(this.#template, exitCode, signal);
      return true;
    }
    const worker = this.workers.withPid(pid);
    if (worker === undefined) return false;
    this.#workerGone(worker, exitCode, signal);
    return true;
  }

  #reported(report: Report, pid: number, uid: number): void {
    if (report.type === reportReady) {
      if (this.#template !== undefined) this.#template.isReady = true;
    } else if (report.type === reportBorn) this.#workerBorn(report, pid, uid);
    else if (report.type === reportExited) this.#workerExited(report);
    else if (report.type === reportFailed) this.#workerNotForked(report);
    else if (report.type === reportWaiting) {
      // A request waits in the template: that is no time to end it.
      this.#scheduleTemplateEnd();
      this.lane.awaited();
    }
  }

  /** Pid and uid are the kernel's word, so a template cannot pass off somebody else's process as its worker. */
  #workerBorn({ worker, userUs: globals, systemUs: version }: Report, pid: number, uid: number): void {
    if (uid !== this.site.user.uid) return;
    const channel = this.workers.born(worker, pid, { globals, version });
    if (channel === undefined) return;
    this.lives.workers++;
    if (this.#template !== undefined) this.#template.hasForked = true;
    this.health.forked();
    this.lane.born(worker, channel, pid);
  }

  #workerExited({ worker, status }: Report): void {
    if (this.workers.isAlive(worker)) {
      this.#around.log.warn({ site: this.site.name, worker }, 'template reported a live worker dead');
      this.workers.kill(worker);
    }
    const { exitCode, signal } = decodeStatus(status);
    this.#workerGone(worker, exitCode, signal);
  }

  #workerNotForked(report: Report): void {
    // A live worker that is passed off as failed would be forgotten, and with it every limit.
    if (!this.workers.isUnborn(report.worker)) return;
    this.#neverBorn(report.worker);
    const problem = `fork failed with ${errnoName(report.status)}${forkHint(report.status)}`;
    this.health.lastProblem = problem;
    this.#around.log.error({ site: this.site.name, problem }, 'worker could not be forked');
    this.lane.notGiven(1, noWorkerReason.startFailed);
  }

  #neverBorn(worker: number): void {
    this.workers.gone(worker);
    this.#around.budget.give(this);
    this.lane.unborn(worker);
  }

  #workerGone(worker: number, exitCode: number | null, signal: number | null): void {
    const pid = this.workers.gone(worker);
    if (pid === undefined) return;
    const wasEnded = this.#ended?.delete(worker) === true;
    this.#around.budget.give(this);
    this.lives.died(exitCode, signal);
    if (signal !== null || exitCode !== 0) {
      this.health.lastProblem = `worker ${pid} ended: ${deathText(exitCode, signal)}`;
      const how = signal === null ? { exitCode } : { signal: signalName(signal) };
      this.#around.log.warn({ site: this.site.name, pid, worker, ...how }, 'worker died');
    }
    if (this.site.command !== undefined) this.#around.programs.ended(this.site, pid);
    this.tree.workerEnded();
    this.lane.gone(worker, exitCode, signal);
    if (signal !== null && !wasEnded && !this.#closing && this.site.command === undefined)
      this.health.workerCrashed();
    if (this.workers.redeem()) this.demand(1);
    this.#scheduleTemplateEnd();
  }

  /** Workers go on without their template; those that were ordered and not yet born are ordered again. */
  #templateDied(template: SiteTemplate, exitCode: number | null, signal: number | null): void {
    const { isReady: wasReady, hasForked } = template;
    template.release();
    this.lane.templateGone();
    const unborn = this.workers.unborn();
    for (const worker of unborn) this.#neverBorn(worker);
    for (const worker of this.workers.vanished()) this.#workerGone(worker, 0, null);
    const how = deathText(exitCode, signal);
    const { name } = this.site;
    if (signal !== null || exitCode !== 0) this.#around.log.warn({ site: name, how }, 'template died');
    // Whatever it ended with: started again at once, it would end again.
    if (!wasReady && !this.#closing) this.health.startFailed(`php-cgi ended at its start: ${how}`);
    else if (signal !== null && !hasForked && !this.#closing)
      this.health.startFailed(`php-cgi ended before it had forked a worker: ${how}`);
    if (unborn.length > 0) this.demand(unborn.length);
  }

  #scheduleTemplateEnd(): void {
    if (this.workers.size === 0) this.#template?.endLater(this.#closing, () => this.tree.isKeeping);
  }
}
