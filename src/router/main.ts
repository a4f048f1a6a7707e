/**
 * The router's process. It starts as root, because its code may lie in a directory that only root can read; with
 * everything loaded it becomes its own user for good, and only then is it given sockets.
 *
 * Descriptors: 1 and 2 the log, 3 the master's channel. When the master is gone, no more connections are accepted
 * and the process ends with its last request: a new master brings a router of its own.
 */

import { at, blankFigures, type Figures, isBlank } from '../account/figures.js';
import { Channel } from '../control/channel.js';
import { figuresBytes, writeFigures } from '../control/figure-messages.js';
import {
  autoDemandBytes,
  orderMaxBytes,
  type ProcessLook,
  type RouterSettings,
  readOrder,
  readPayload,
  requestBytes,
  toMaster,
  toRouter,
  writeAutoDemand,
  writeRequest,
} from '../control/router-messages.js';
import { Poller } from '../os/poller.js';
import { dropDumpable } from '../os/process.js';
import { becomeStartedUser } from '../os/started-as.js';
import { Acceptor } from './acceptor.js';
import { DirectSites } from './direct-sites.js';
import { LiveRequests } from './live-requests.js';
import { RouterLog } from './log.js';
import { carryOut } from './orders.js';
import { type RequestsServer, startRequestsServer } from './requests-server.js';
import type { RoutedSite } from './routed-site.js';
import { Server } from './serve.js';
import { tellSlow } from './slow.js';
import { readStack, type Stack } from './stack.js';

const logFd = 2;
const masterFd = 3;
const maxWaiting = 100_000;

class Router {
  readonly #poller = new Poller();
  readonly #log = new RouterLog(logFd);
  readonly #master: Channel;
  readonly #request = Buffer.alloc(Math.max(requestBytes, autoDemandBytes, figuresBytes));
  #server: Server | undefined;
  #settings: RouterSettings | undefined;
  #requests: RequestsServer | undefined;
  #acceptor: Acceptor | undefined;
  #direct: DirectSites | undefined;

  constructor() {
    this.#master = new Channel(this.#poller, masterFd, Buffer.allocUnsafe(orderMaxBytes), maxWaiting, {
      message: (bytes, length, info) => {
        this.#ordered(bytes, length, info[0] === 0 ? -1 : (info[1] ?? -1));
      },
      ended: () => {
        this.#masterIsGone();
      },
    });
  }

  #ordered(bytes: Buffer, length: number, descriptor: number): void {
    if (readOrder(bytes).type === toRouter.settings) {
      this.#begin(readPayload(bytes, length) as RouterSettings);
      return;
    }
    if (!this.#server || !this.#acceptor || !this.#direct || !this.#settings)
      throw new Error('the first order must be settings');
    const server = this.#server;
    const direct = this.#direct;
    const settings = this.#settings;
    const targets = {
      server,
      direct,
      acceptor: this.#acceptor,
      status: () => {
        this.#tellFigures();
      },
      drain: () => {
        this.#drain();
      },
      state: (worker: number, { state, problem = 'unreadable' }: ProcessLook, fd: number) => {
        const tell = (stack: Stack): void => {
          tellSlow(server, worker, { state, stack });
          direct.tellSlow(worker, { state, stack });
        };
        if (fd < 0) tell(problem);
        else readStack(this.#poller, fd, tell);
      },
      requests: (fd: number) => {
        const live = new LiveRequests(server, direct);
        const isOwner = (uid: number): boolean =>
          direct.isOwner(uid) || [...server.byId.values()].some((site) => site.uid === uid);
        this.#requests = startRequestsServer(fd, live, this.#log, settings, isOwner);
      },
      log: (fd: number) => {
        this.#log.stream.replace(fd);
      },
    };
    carryOut(targets, bytes, length, descriptor);
  }

  #begin(settings: RouterSettings): void {
    const server = new Server(this.#poller, settings, this.#log, {
      demand: (site, count, needed) => {
        if (!this.#demand(site, count, needed)) server.dispatcher.notGiven(site, count, 'stopping');
      },
      kill: (site, worker) => {
        this.#tell(toMaster.kill, site.id, worker, 0);
      },
      free: (site, worker) => {
        this.#tell(toMaster.free, site.id, worker, 0);
      },
      gaveUp: (count, isAll) => {
        this.#tell(toMaster.gaveUp, 0, Number(isAll), count);
      },
      slow: (exchange) => {
        this.#tell(toMaster.look, exchange.site.id, exchange.worker, 0);
      },
      closed: () => {
        this.#acceptor?.resume();
        this.#endIfDrained();
      },
      forgotten: (site) => {
        this.#tellSite(site.id, figuresOf(site), true);
      },
    });
    this.#server = server;
    this.#settings = settings;
    this.#direct = new DirectSites(server.ledger, {
      look: (site, worker) => {
        this.#tell(toMaster.look, site.id, worker, 0);
      },
      kill: (site, worker) => {
        this.#tell(toMaster.kill, site.id, worker, 0);
      },
      quiet: () => {
        this.#endIfDrained();
      },
    });
    this.#acceptor = new Acceptor({
      poller: this.#poller,
      log: this.#log,
      webUids: settings.webUids,
      maxConnections: settings.maxConnections,
      count: () => server.connections.size,
      connected: (fd, listener) => {
        server.connected(fd, listener);
      },
    });
    this.#tell(toMaster.ready, 0, 0, 0);
  }

  #tell(type: number, site: number, worker: number, count: number): boolean {
    writeRequest(this.#request, type, site, worker, count);
    return this.#send(requestBytes);
  }

  /** A channel that takes nothing any more does not tell its end later. */
  #send(length: number): boolean {
    if (this.#master.send(this.#request, length)) return true;
    setImmediate(() => {
      this.#masterIsGone();
    });
    return false;
  }

  #masterIsGone(): void {
    if (this.#server?.isDraining === true) return;
    this.#log.logger.warn('the master is gone');
    this.#direct?.masterIsGone(isAlive);
    this.#drain();
  }

  #demand(site: RoutedSite, count: number, needed: number): boolean {
    if (site.auto === undefined) return this.#tell(toMaster.demand, site.id, needed, count);
    const { pattern, name } = site.auto;
    writeAutoDemand(this.#request, { site: site.id, pattern, name, count, needed });
    return this.#send(autoDemandBytes);
  }

  #tellFigures(): void {
    const server = this.#server;
    if (server !== undefined) {
      server.dispatcher.lookAtAll();
      for (const site of server.byId.values()) this.#tellSite(site.id, figuresOf(site), false);
      this.#tellSite(0, server.siteless.figures, false);
    }
    this.#tell(toMaster.statusEnd, 0, 0, server?.connections.size ?? 0);
  }

  /** Of sites that nobody asks for there is nothing to say. */
  #tellSite(site: number, figures: Figures, isLast: boolean): void {
    if (isBlank(figures) && !isLast) return;
    writeFigures(this.#request, { site, isLast, figures });
    this.#send(figuresBytes);
  }

  #drain(): void {
    this.#acceptor?.close();
    this.#requests?.close();
    this.#server?.drain();
    this.#endIfDrained();
  }

  #endIfDrained(): void {
    // Without a server there never was a master to speak of.
    if (this.#server === undefined) process.exit(0);
    if (!this.#server.isDraining || this.#server.connections.size > 0) return;
    if (this.#direct?.isQuiet === false) return;
    this.#server.ledger.finish(() => process.exit(0));
  }
}

/** Whether there is a process of this number: a worker's, for a new one would have to get it within a moment. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** The counts as they are, with what goes on in the pool beside them. */
function figuresOf({ pool, counters }: RoutedSite): Figures {
  if (counters.isBlank && pool.isQuiet) return blankFigures;
  const { figures } = counters;
  figures[at.busy] = pool.busyCount;
  figures[at.idle] = pool.idleCount;
  figures[at.starting] = pool.startingCount;
  figures[at.queued] = pool.queuedCount;
  figures[at.maxBusy] = pool.maxBusy;
  figures[at.maxQueued] = pool.maxQueued;
  figures[at.limitReached] = pool.limitReached;
  return figures;
}

process.title = 'guise: router';
becomeStartedUser();
dropDumpable();
new Router();
