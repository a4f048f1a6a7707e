/**
 * The running instance: the router, the sites, and how they end. Privilege: root. What it hears from the router are
 * numbers, and a site's uid comes from the site's own configuration alone.
 */

import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { delegationOf } from '../config/delegation.js';
import { noWorkerReason, type RouterRequest, toMaster, toRouter } from '../control/router-messages.js';
import { LastGood } from '../site/last-good.js';
import { SiteCatalog } from '../site/registry.js';
import { AutoDemands } from './auto-demands.js';
import { FigureBook } from './figure-book.js';
import { claimGroups } from './group-claim.js';
import { Housekeeper } from './housekeeper.js';
import type { InstanceSetup } from './instance-setup.js';
import { copyStackProgram, libraryDirectory } from './layout.js';
import { LedgerLink } from './ledger-link.js';
import { closeSharedListeners } from './listeners.js';
import { LogKeeper } from './log-keeper.js';
import { makeSiteSet } from './make-site-set.js';
import { Orphans, processesOf } from './orphans.js';
import { processState } from './process-state.js';
import { Recycler } from './recycler.js';
import { RoomKeeper } from './room-keeper.js';
import { type OpenSite, RouterLink } from './router-link.js';
import { SiteGroups } from './site-groups.js';
import type { SiteRuntime } from './site-runtime.js';
import { type Difference, isAutomaticId, type SiteSet } from './site-set.js';
import { releaseTmp } from './site-state.js';
import { StackReaders } from './stack-readers.js';
import { type StatusProgram, startStatus } from './status-program.js';
import { sweepChildren } from './sweep.js';
import { WorkerBudget } from './worker-budget.js';
import { WorkerScales } from './worker-scales.js';
import { sayWrongFiles } from './wrong-files.js';

export class Instance {
  readonly sites: SiteSet;
  readonly stopped: Promise<void>;
  registry = new SiteCatalog();
  config: Config;
  readonly log: Logger;
  /** What has been counted, of every site. */
  readonly book = new FigureBook();
  readonly #setup: InstanceSetup;
  /** What all sites together may have, and have. */
  readonly budget: WorkerBudget;
  readonly #room: RoomKeeper;
  readonly #recycler: Recycler;
  readonly #housekeeper: Housekeeper;
  readonly #stacks: StackReaders;
  readonly #autoDemands: AutoDemands;
  readonly #orphans: Orphans;
  readonly #groups: SiteGroups;
  readonly #past = new LastGood();
  readonly #logKeeper: LogKeeper;
  #router: RouterLink | undefined;
  #ledger: LedgerLink | undefined;
  #status: StatusProgram | undefined;
  #isStopping = false;
  #drainUntilMs = 0;
  #resolveStopped: () => void = () => undefined;

  constructor(setup: InstanceSetup) {
    this.#setup = setup;
    this.config = setup.config;
    this.log = setup.log;
    this.budget = new WorkerBudget(setup.config.limits.maxWorkers, setup.config.limits.memoryBytes);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    this.#logKeeper = new LogKeeper(this);
    this.#stacks = new StackReaders(copyStackProgram(setup.config), libraryDirectory(setup.config));
    this.#housekeeper = new Housekeeper(setup.config.paths.state, setup.log);
    this.#orphans = new Orphans(() => [
      ...processesOf(this.sites.all()),
      ...[this.#router?.pid ?? 0, this.#ledger?.pid ?? 0, ...this.#housekeeper.pids, ...this.#stacks.pids],
    ]);
    this.#groups = new SiteGroups(
      claimGroups(delegationOf(setup.config.limits.cgroup, 'self'), setup.log),
      setup.log,
    );
    this.#room = new RoomKeeper(this.budget, {
      byId: (id) => this.sites.byId(id),
      router: () => this.#router,
      nowMs: () => performance.now(),
    });
    this.#recycler = new Recycler(this.log);
    new WorkerScales(this.budget, (id) => this.sites.byId(id), this.#recycler);
    this.sites = makeSiteSet({
      setup,
      config: () => this.config,
      sites: () => this.sites,
      router: () => this.#router,
      budget: this.budget,
      book: this.book,
      housekeeper: this.#housekeeper,
      orphans: this.#orphans,
      groups: this.#groups,
      prepare: (site) => this.#logKeeper.prepare(site),
    });
    this.#autoDemands = new AutoDemands(this.sites, this.log, {
      config: () => this.config,
      refuse: (site, count) => {
        this.#router?.tell(toRouter.noWorker, site, 0, count, noWorkerReason.autoRefused);
      },
    });
  }

  /** @throws GuiseError LAUNCH_FAILED when the router cannot be started, CONFIG_UNREADABLE */
  start(): void {
    this.#housekeeper.begin();
    const { poller, log, logFile, user, webUsers, config, listeners } = this.#setup;
    this.#router = new RouterLink({
      poller,
      log,
      logFd: () => logFile.fd,
      user,
      webUsers,
      config,
      listeners,
      sites: () => this.#routerSites(),
      figures: ({ site, figures, isLast }) => this.book.said(site, figures, isLast),
      died: () => {
        this.#room.routerDied(this.sites.all());
        this.book.routerDied((id) => this.sites.byId(id)?.isClosing !== false || isAutomaticId(id));
      },
      siteRequest: (request) => this.#siteRequest(request),
      autoDemand: (demand) => this.#autoDemands.meet(demand),
      started: () => this.#ledger?.connect(),
      drained: () => {
        this.#endWhenQuiet();
      },
    });
    this.#router.open(() => this.#applyAll(SiteCatalog.read(this.config, this.#past)));
    this.#ledger = this.#startLedger();
    this.#status = startStatus({ ...this.#setup, housekeeper: this.#housekeeper });
  }

  #startLedger(): LedgerLink {
    const { poller, log, logFile, user, config } = this.#setup;
    return new LedgerLink({
      poller,
      log,
      user,
      config,
      logs: this.#logKeeper.logs,
      logFd: () => logFile.fd,
      siteOf: (id) => this.sites.byId(id)?.site,
      connectRouter: (fd) => {
        this.router.tell(toRouter.ledger, 0, 0, 0, 0, fd);
      },
    });
  }

  /** Log files have been renamed by somebody: all are opened again. */
  reopenLogs(): void {
    const { logFile, log } = this.#setup;
    logFile.reopen();
    this.router.tell(toRouter.log, 0, 0, 0, 0, logFile.open());
    this.#ledger?.reopen(logFile.open());
    log.info('logs reopened');
  }

  get router(): RouterLink {
    if (this.#router === undefined) throw new Error('the instance has not been started');
    return this.#router;
  }

  /** Reads the sites again and applies what changed. */
  reload(config: Config): Difference {
    this.config = config;
    this.budget.limit(config.limits.maxWorkers, config.limits.memoryBytes);
    return this.#applyAll(SiteCatalog.read(config, this.#past));
  }

  /** Reads one site again and applies it; the others' files are not opened. */
  applySite(name: string): Difference {
    const changed = this.registry.reread(this.config, name);
    sayWrongFiles(this.log, changed);
    return this.sites.applyChange(changed);
  }

  /** No new request is accepted; running ones may finish within the drain timeout. Then nothing is left. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.log.info('guise is stopping');
    closeSharedListeners(this.#setup.listeners);
    this.#drainUntilMs = performance.now() + this.config.limits.drainTimeoutMs;
    this.sites.closeSelfServing();
    this.#status?.close();
    this.router.drain();
    setTimeout(() => {
      this.log.warn('running requests did not end in time');
      this.router.kill();
    }, this.config.limits.drainTimeoutMs).unref();
  }

  childDied(pid: number, exitCode: number | null, signal: number | null): void {
    const own = [this.#router, this.#ledger, this.#status, this.#housekeeper, this.#stacks];
    if (own.some((one) => one?.childDied(pid, exitCode, signal) === true)) return;
    // Every site that knows the process, not the first: a hostile template that keeps the death of a worker to itself
    // leaves its site with a process id that has since become another site's.
    for (const runtime of this.sites.all()) {
      if (!runtime.childDied(pid, exitCode, signal)) continue;
      if (runtime.templatePid === undefined && runtime.workers.size === 0) this.#groups.leave(runtime);
      this.sites.sweep(runtime);
    }
    // A template, a worker without one, or an orphan: what was below it comes to the master.
    this.#orphans.look();
  }

  #applyAll(registry: SiteCatalog): Difference {
    this.registry = registry;
    sayWrongFiles(this.log, registry);
    return this.sites.apply(registry);
  }

  *#routerSites(): Iterable<OpenSite> {
    for (const runtime of this.sites.all()) {
      if (!runtime.isClosing || runtime.site.dispatch === 'direct')
        yield { runtime, listener: this.sites.listenerOf(runtime.site.name) };
    }
  }

  #siteRequest(request: RouterRequest): void {
    if (request.type === toMaster.gaveUp) {
      this.#room.gaveUp(request.count, request.worker === 1);
      return;
    }
    const runtime = this.sites.byId(request.site);
    if (runtime === undefined) return;
    if (request.type === toMaster.demand) runtime.demand(request.count, request.worker);
    else if (request.type === toMaster.kill) runtime.end(request.worker);
    else if (request.type === toMaster.free) void this.#recycler.isFree(runtime, request.worker);
    else this.#look(runtime, request);
  }

  #look({ site, workers }: SiteRuntime, request: RouterRequest): void {
    const pid = workers.pidOf(request.worker);
    const stack = this.#stacks.read(site, pid, workers.engineOf(request.worker));
    this.#router?.tellState(request, processState(pid), stack);
  }

  /** The router has ended with its last request; workers of the direct lane may still be running theirs. */
  #endWhenQuiet(): void {
    const isBusy = [...this.sites.all()].some(
      (runtime) => runtime.site.dispatch !== 'router' && runtime.workers.size > 0,
    );
    if (!isBusy || performance.now() > this.#drainUntilMs) this.#endLedger();
    else setTimeout(() => this.#endWhenQuiet(), 50);
  }

  /** It has the router's last word by now, and writes it down. */
  #endLedger(): void {
    if (this.#ledger === undefined) this.#end();
    else this.#ledger.finish(() => this.#end());
  }

  /** The router is gone: everything else goes too, and whatever scripts have left behind. */
  #end(): void {
    this.#housekeeper.end();
    this.#orphans.close();
    this.sites.closeAll();
    for (const runtime of this.sites.all()) runtime.killAll();
    this.#groups.endAll();
    sweepChildren(() => {
      this.#groups.close();
      releaseTmp(this.config.paths.state);
      this.#resolveStopped();
    });
  }
}
