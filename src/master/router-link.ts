/**
 * Keeps a router running and the router's picture complete: a new one is told everything, at its death every site
 * learns that its workers' channels are gone. Privilege: root.
 */

import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { FiguresMessage } from '../control/figure-messages.js';
import {
  type AutoDemand,
  listenerKind,
  type ProcessLook,
  type ProcessState,
  type RouterKeys,
  type RouterRequest,
  type RouterSettings,
  type StackProblem,
  toMaster,
  toRouter,
} from '../control/router-messages.js';
import { inPortions, packRows, type RouterRow } from '../control/router-rows.js';
import type { UserEntry } from '../os/identity.js';
import type { Poller } from '../os/poller.js';
import { deathText } from '../os/signal.js';
import { close } from '../os/socket.js';
import { afterFailure, type BackOff, noFailure } from '../pool/back-off.js';
import type { Site } from '../site/site.js';
import { routerAuto } from './auto-sites.js';
import type { Birth, LaneRouter } from './lane.js';
import { spoolDirectory } from './layout.js';
import type { SharedListeners } from './listeners.js';
import { RouterProcess } from './router-process.js';
import { directSite, keyHashes, routerSite } from './router-row.js';
import type { SiteRuntime } from './site-runtime.js';
import { StatusQuestion } from './status-question.js';

export interface OpenSite {
  readonly runtime: SiteRuntime;
  /** Its own socket, or -1. */
  readonly listener: number;
}

export interface RouterLinkSetup {
  readonly poller: Poller;
  readonly log: Logger;
  readonly logFd: () => number;
  readonly user: UserEntry;
  readonly webUsers: readonly UserEntry[];
  readonly config: Config;
  /** The sockets that all sites share. */
  readonly listeners: SharedListeners;
  /**
   * Sites and their own listening sockets (-1: none), for a router that knows none yet: also those of the direct lane
   * that are closing, for their last requests.
   */
  sites(): Iterable<OpenSite>;
  /** The router says figures of a site, asked or not. */
  figures(message: FiguresMessage): void;
  /** What it has counted is over; the next one counts from 0. */
  died(): void;
  /** A request that concerns a site. */
  siteRequest(request: RouterRequest): void;
  /** A demand for a site that is a directory. */
  autoDemand(demand: AutoDemand): void;
  /** There is a new router, which knows every site. */
  started(): void;
  /** The router has ended while the daemon is stopping. */
  drained(): void;
}

/** A router that has run this long was sound: the next failure counts as the first. */
const soundAfterMs = 10_000;

export class RouterLink implements LaneRouter {
  restarts = 0;
  readonly #setup: RouterLinkSetup;
  #process: RouterProcess | undefined;
  #startedMs = 0;
  #backOff: BackOff = noFailure;
  readonly #question = new StatusQuestion(() => {
    this.tell(toRouter.status, 0, 0, 0, 0);
  });
  #isDraining = false;
  /** Before that a router is started and told nothing of sites, for they are being read meanwhile. */
  #isOpen = false;

  constructor(setup: RouterLinkSetup) {
    this.#setup = setup;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** @param descriptor goes along for good */
  tell(type: number, site: number, worker: number, a: number, b: number, descriptor = -1): void {
    if (this.#process !== undefined) this.#process.order({ type, site, worker, a, b }, undefined, descriptor);
    else if (descriptor >= 0) close(descriptor);
  }

  /**
   * Has the sites made known, while the router's program is being loaded: then it is told of them all, and gets the
   * sockets that they share. When that fails, the router does not stay.
   */
  open(makeKnown: () => void): void {
    try {
      makeKnown();
    } catch (thrown) {
      this.kill();
      throw thrown;
    }
    this.#isOpen = true;
    if (this.#process !== undefined) this.#tellAll(this.#process);
  }

  siteOpened(runtime: SiteRuntime, listener: number): void {
    if (!this.#isOpen) return;
    const { id, site } = runtime;
    if (site.dispatch === 'router') {
      const row = routerSite(site, this.#linesPerSecond);
      this.#process?.order({ type: toRouter.site, site: id, worker: 0, a: 0, b: 0 }, row);
      if (listener >= 0) this.#giveListener(id, listener);
    }
    runtime.introduce();
  }

  giveWorker(site: number, { worker, uid, pid, slot, channel }: Birth): void {
    const order = { type: toRouter.worker, site, worker, a: uid, b: pid, c: slot };
    if (this.#process !== undefined) this.#process.order(order, undefined, channel);
    else close(channel); // the worker sees the end of its channel and leaves
  }

  /** Memory that the workers of a site's template share with the router; the descriptor stays the caller's. */
  giveSlates(site: number, slates: number): void {
    this.#process?.order({ type: toRouter.slates, site, worker: 0, a: 0, b: 0 }, undefined, slates, true);
  }

  giveDirectSite(id: number, site: Site, memory: number): void {
    const row = directSite(site, this.#linesPerSecond);
    this.#process?.order({ type: toRouter.directSite, site: id, worker: 0, a: 0, b: 0 }, row, memory, true);
  }

  get #linesPerSecond(): number {
    return this.#setup.config.ledger.linesPerSecond;
  }

  /** What is known of a worker's process; `stack` is where its PHP stack arrives, or why there is none. Taken over. */
  tellState({ site, worker }: RouterRequest, state: ProcessState, stack: number | StackProblem): void {
    const order = { type: toRouter.processState, site, worker, a: 0, b: 0 };
    const [problem, descriptor] = typeof stack === 'number' ? [undefined, stack] : [stack, -1];
    const look: ProcessLook = problem === undefined ? { state } : { state, problem };
    if (this.#process !== undefined) this.#process.order(order, look, descriptor);
    else if (descriptor >= 0) close(descriptor);
  }

  siteRekeyed(runtime: SiteRuntime): void {
    const { id, site } = runtime;
    const payload: RouterKeys = { keyHashes: keyHashes(site) };
    this.#process?.order({ type: toRouter.siteKeys, site: id, worker: 0, a: 0, b: 0 }, payload);
  }

  siteClosed(runtime: SiteRuntime): void {
    this.tell(toRouter.siteGone, runtime.id, 0, 0, 0);
  }

  /** Has the router say its figures. Returns how many connections it has; undefined when it does not answer. */
  async ask(): Promise<number | undefined> {
    return this.#process === undefined ? undefined : this.#question.ask();
  }

  /** No further connection is accepted; the router ends when its requests have. */
  drain(): void {
    this.#isDraining = true;
    if (this.#process === undefined) this.#setup.drained();
    else this.tell(toRouter.drain, 0, 0, 0, 0);
  }

  kill(): void {
    this.#process?.kill();
  }

  /** A child of the master has ended: was it the router? */
  childDied(pid: number, exitCode: number | null, signal: number | null): boolean {
    if (pid !== this.#process?.pid) return false;
    this.#process.release();
    this.#process = undefined;
    this.#question.inVain();
    this.#setup.died();
    if (this.#isDraining) {
      this.#setup.drained();
      return true;
    }
    this.#setup.log.error({ pid, how: deathText(exitCode, signal) }, 'router died');
    this.#restart();
    return true;
  }

  #restart(): void {
    const nowMs = performance.now();
    if (nowMs - this.#startedMs > soundAfterMs) this.#backOff = noFailure;
    const pauseMs = this.#backOff.failures === 0 ? 0 : this.#backOff.notBeforeMs - nowMs;
    this.#backOff = afterFailure(this.#backOff, nowMs);
    this.restarts++;
    setTimeout(() => {
      if (!this.#isDraining) this.#start();
    }, pauseMs);
  }

  #start(): void {
    const { poller, user, logFd, log, config } = this.#setup;
    this.#startedMs = performance.now();
    this.#process = new RouterProcess(poller, user, logFd(), spoolDirectory(config), {
      request: (request) => {
        this.#requested(request);
      },
      figures: (message) => {
        this.#setup.figures(message);
      },
      autoDemand: (demand) => {
        this.#setup.autoDemand(demand);
      },
      lost: () => {
        this.#process?.kill();
      },
    });
    this.#process.order({ type: toRouter.settings, site: 0, worker: 0, a: 0, b: 0 }, this.#settings());
    if (this.#isOpen) this.#tellAll(this.#process);
    log.info({ pid: this.#process.pid, restarts: this.restarts }, 'router started');
    this.#setup.started();
  }

  /** Sites before sockets: nobody may be turned away because his site is not there yet. */
  #tellAll(process: RouterProcess): void {
    const { listeners } = this.#setup;
    const none = { site: 0, worker: 0, a: 0, b: 0 };
    const known = [...this.#setup.sites()];
    const routed = known.filter(({ runtime }) => runtime.site.dispatch === 'router');
    for (const rows of inPortions(this.#rowsOf(routed))) {
      const [[site, row] = [0]] = rows;
      if (rows.length === 1) process.order({ ...none, type: toRouter.site, site }, row);
      else process.order({ ...none, type: toRouter.sites }, packRows(rows));
    }
    for (const { runtime, listener } of routed) {
      if (listener >= 0) this.#giveListener(runtime.id, listener);
    }
    for (const { runtime } of known) {
      runtime.introduce();
      if (runtime.isClosing) this.siteClosed(runtime);
    }
    this.#giveListener(0, listeners.unix);
    this.#giveListener(0, listeners.requests, listenerKind.requests);
    for (const listener of listeners.tcp) this.#giveListener(0, listener, listenerKind.tcp);
  }

  /** One after the other: thousands of rows at once would leave the heap larger than it need be. */
  *#rowsOf(routed: readonly OpenSite[]): Iterable<RouterRow> {
    for (const { runtime } of routed) yield [runtime.id, routerSite(runtime.site, this.#linesPerSecond)];
  }

  #giveListener(site: number, listener: number, kind: number = listenerKind.unix): void {
    const order = { type: toRouter.listener, site, worker: 0, a: kind, b: 0 };
    this.#process?.order(order, undefined, listener, true);
  }

  #settings(): RouterSettings {
    const { config, webUsers } = this.#setup;
    return {
      webUids: webUsers.map((user) => user.uid),
      maxConnections: config.router.maxConnections,
      maxHeadBytes: config.router.maxHeadBytes,
      readTimeoutMs: config.router.readTimeoutMs,
      spoolDirectory: spoolDirectory(config),
      spoolMinFreeBytes: config.router.minFreeBytes,
      control: config.control,
      user: config.router.user,
      ...(config.auto === undefined ? {} : { auto: routerAuto(config, config.auto) }),
    };
  }

  #requested(request: RouterRequest): void {
    switch (request.type) {
      case toMaster.demand:
      case toMaster.kill:
      case toMaster.look:
      case toMaster.gaveUp:
      case toMaster.free:
        this.#setup.siteRequest(request);
        break;
      case toMaster.statusEnd:
        this.#question.answered(request.count);
        break;
      default:
    }
  }
}
