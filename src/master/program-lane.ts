/**
 * Programs that accept on the site's own socket themselves and are nothing of guise's: FastCGI in Perl, Python, Node.
 * While nobody comes there is no process, and the master watches the socket. A connection starts one, connections that
 * keep waiting start more, and all of them go when nothing has been going on for the idle timeout.
 *
 * Whether something goes on is seen from outside only: connections that are waiting or open, as the kernel lists them,
 * and processor time. The master never accepts, and reads nothing that the program says.
 *
 * Privilege: root.
 */

import type { Logger } from 'pino';
import { at, type Figures, figure, noFigures } from '../account/figures.js';
import { POLLIN, type Poller } from '../os/poller.js';
import { processorTicks } from '../os/process.js';
import { deathText } from '../os/signal.js';
import { setBlocking } from '../os/socket.js';
import type { Connections } from '../os/unix-sockets.js';
import type { Site } from '../site/site.js';
import type { Lane, LaneSite, TemplateSupplies, WorkerSupplies } from './lane.js';

const SIGKILL = 9;
const SIGTERM = 15;

/** How often a program that runs is looked at, and one that is to end. */
const periodMs = 1000;
const drainPeriodMs = 200;
/** So long connections must wait before another process is started for them. */
const patienceMs = 250;
/** A program that has not accepted anything so long after its start is taken for one that is busy otherwise. */
const startMs = 3000;
/** Before the socket of a program that has just ended is watched again. */
const restMs = 100;
/** A program that is asked to end has so long. */
const farewellMs = 5000;
/** One that has run so long was sound: when it ends, the next one is started at once. */
const soundAfterMs = 10_000;
/** A twentieth of a processor: a program that uses more is not idle, also when nobody is connected. */
const workingTicks = 5;

export interface ProgramSetup {
  readonly site: Site;
  /** The site's own socket; stays the caller's. */
  readonly listener: number;
  /** What goes on at it now. */
  readonly connections: () => Connections;
  readonly poller: Poller;
  readonly log: Logger;
  readonly nowMs: () => number;
}

export class ProgramLane implements Lane {
  readonly isDirect = false;
  readonly #setup: ProgramSetup;
  readonly #owner: LaneSite;
  readonly #startedMs = new Map<number, number>();
  readonly #figures = noFigures();
  #ticks = 0;
  #busyMs = 0;
  #isWatching = false;
  /** When they were asked to end. */
  #leavingMs: number | undefined;
  #closedMs: number | undefined;
  #look: NodeJS.Timeout | undefined;
  #growth: NodeJS.Timeout | undefined;

  constructor(setup: ProgramSetup, owner: LaneSite) {
    this.#setup = setup;
    this.#owner = owner;
    // FastCGI programs expect to wait in accept(2); those that do not set it themselves.
    setBlocking(setup.listener, true);
    this.#watch();
  }

  introduce(): void {
    // The router hears nothing of it.
  }

  forTemplate(): TemplateSupplies {
    return { listener: this.#setup.listener, shared: -1, env: {} };
  }

  forWorker(id: number): WorkerSupplies {
    this.#startedMs.set(id, this.#setup.nowMs());
    return { ours: -1, theirs: -1, slot: 0 };
  }

  born(): void {
    // It accepts by itself.
  }

  unborn(id: number): void {
    this.#startedMs.delete(id);
  }

  templateGone(): void {
    // There is none.
  }

  gone(id: number, exitCode: number | null, signal: number | null): void {
    const livedMs = this.#setup.nowMs() - (this.#startedMs.get(id) ?? 0);
    this.#startedMs.delete(id);
    const isExpected = this.#leavingMs !== undefined || this.#closedMs !== undefined;
    if (!isExpected) this.#endedByItself(livedMs, exitCode, signal);
    if (this.#owner.workers === 0) this.#rest();
  }

  notGiven(): void {
    // Whoever waits in the socket is found there again.
    if (this.#owner.workers === 0) this.#rest();
  }

  noRoom(): void {
    this.notGiven();
  }

  awaited(): void {
    // There is no template.
  }

  room(): void {
    if (this.#closedMs !== undefined || this.#leavingMs !== undefined) return;
    if (this.#setup.connections().waiting === 0) return;
    if (this.#owner.workers > 0) this.#grow();
    else {
      this.#unwatch();
      this.#wake();
    }
  }

  yieldOne(): void {
    // Nobody but the program knows when a request of it ends.
  }

  /** Nobody but the program knows. */
  isFree(): boolean {
    return false;
  }

  recycle(): void {
    // See yieldOne.
  }

  /** All of its processes go together, or none. */
  idleMs(): number | undefined {
    if (this.#owner.workers === 0 || this.#leavingMs !== undefined) return undefined;
    const idleMs = this.#setup.nowMs() - this.#busyMs;
    return idleMs > 2 * periodMs ? idleMs : undefined;
  }

  giveUpIdle(): void {
    this.#unwatch();
    this.#leavingMs = this.#setup.nowMs();
    this.#owner.signal(SIGTERM);
  }

  close(): void {
    if (this.#closedMs !== undefined) return;
    this.#closedMs = this.#setup.nowMs();
    this.#unwatch();
    clearTimeout(this.#growth);
    this.#drain();
  }

  /** It says itself when all is well: see LaneSite.sound. */
  progress(): number {
    return 0;
  }

  /** Requests themselves are not seen: what is counted is connections at this moment, and processes that crashed. */
  figures(): Figures {
    const { waiting, open } = this.#setup.connections();
    this.#count(waiting, open);
    return this.#figures.slice();
  }

  #count(waiting: number, open: number): void {
    const figures = this.#figures;
    const total = this.#owner.workers;
    const busy = Math.min(total, open);
    figures[at.busy] = busy;
    figures[at.idle] = total - busy;
    figures[at.queued] = waiting;
    figures[at.maxBusy] = Math.max(figure(figures, 'maxBusy'), busy);
    figures[at.maxQueued] = Math.max(figure(figures, 'maxQueued'), waiting);
  }

  #watch(): void {
    if (this.#isWatching || this.#closedMs !== undefined) return;
    this.#isWatching = true;
    this.#setup.poller.add(this.#setup.listener, POLLIN, () => {
      this.#unwatch();
      if (this.#owner.workers === 0) this.#wake();
      else this.#growLater();
    });
  }

  #unwatch(): void {
    if (!this.#isWatching) return;
    this.#isWatching = false;
    this.#setup.poller.remove(this.#setup.listener);
  }

  /** Somebody has connected, and nobody is there. */
  #wake(): void {
    this.#leavingMs = undefined;
    this.#busyMs = this.#setup.nowMs();
    this.#ticks = 0;
    this.#lookIn(periodMs);
    this.#owner.demand(1, 1);
    if (this.#owner.workers > 0) this.#growLater();
  }

  #growLater(): void {
    clearTimeout(this.#growth);
    this.#growth = setTimeout(() => this.#grow(), patienceMs);
  }

  /** Twice as many, as long as connections are still waiting and there may be more. */
  #grow(): void {
    const { workers } = this.#owner;
    if (this.#leavingMs !== undefined || workers === 0) return;
    const { waiting, open } = this.#setup.connections();
    const room = this.#setup.site.maxWorkers - workers;
    if (waiting > 0 && room <= 0) this.#figures[at.limitReached] = figure(this.#figures, 'limitReached') + 1;
    if (room <= 0) return; // the next look sees when that has changed
    if (waiting === 0) {
      this.#watch();
      return;
    }
    const youngestMs = this.#setup.nowMs() - Math.max(...this.#startedMs.values());
    const isStarting = open < workers && youngestMs < startMs;
    const count = Math.min(waiting, workers, room);
    if (!isStarting) this.#owner.demand(count, count);
    this.#growLater();
  }

  #endedByItself(livedMs: number, exitCode: number | null, signal: number | null): void {
    const crashed = signal !== null || exitCode !== 0;
    if (crashed) this.#figures[at.crashed] = figure(this.#figures, 'crashed') + 1;
    // One that has answered and gone has kept nobody waiting.
    if (livedMs >= soundAfterMs || (!crashed && this.#setup.connections().waiting === 0)) return;
    this.#owner.failed(`the program ended after ${Math.round(livedMs)} ms: ${deathText(exitCode, signal)}`);
  }

  /** Nobody is there any more. */
  #rest(): void {
    clearTimeout(this.#look);
    clearTimeout(this.#growth);
    this.#leavingMs = undefined;
    if (this.#closedMs !== undefined) return;
    this.#look = setTimeout(() => this.#watch(), restMs);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#look);
    this.#look = setTimeout(() => {
      if (this.#closedMs === undefined) this.#lookAround();
      else this.#drain();
    }, ms);
  }

  #lookAround(): void {
    const nowMs = this.#setup.nowMs();
    this.#lookIn(periodMs);
    if ([...this.#startedMs.values()].some((startedMs) => nowMs - startedMs >= soundAfterMs))
      this.#owner.sound();
    if (this.#leavingMs !== undefined) {
      if (nowMs - this.#leavingMs > farewellMs) this.#owner.signal(SIGKILL);
      return;
    }
    const { waiting, open } = this.#setup.connections();
    this.#count(waiting, open);
    if (waiting > 0 || open > 0 || this.#works()) this.#busyMs = nowMs;
    if (nowMs - this.#busyMs > this.#setup.site.idleTimeoutMs) {
      this.#unwatch();
      this.#leavingMs = nowMs;
      this.#owner.signal(SIGTERM);
    } else if (waiting > 0) this.#grow();
    else this.#watch();
  }

  /** Whether they have used more than a little of the processor since the last look. */
  #works(): boolean {
    const before = this.#ticks;
    this.#ticks = this.#owner.pids.reduce((sum, pid) => sum + Math.max(0, processorTicks(pid)), 0);
    return this.#ticks - before > workingTicks;
  }

  /** They are to go: when their last connection has ended, or the time limit is over. */
  #drain(): void {
    if (this.#owner.workers === 0) {
      clearTimeout(this.#look);
      return;
    }
    this.#lookIn(drainPeriodMs);
    const { site, log, nowMs, connections } = this.#setup;
    const { waiting, open } = connections();
    const waitedMs = nowMs() - (this.#closedMs ?? 0);
    if (this.#leavingMs === undefined && waiting + open > 0 && waitedMs <= site.timeLimitMs) return;
    if (this.#leavingMs === undefined) {
      if (open > 0) log.warn({ site: site.name, connections: open, reason: 'time-limit' }, 'program stopped');
      this.#leavingMs = nowMs();
      this.#owner.signal(SIGTERM);
    } else if (nowMs() - this.#leavingMs > farewellMs) this.#owner.signal(SIGKILL);
  }
}
