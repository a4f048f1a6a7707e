/**
 * Keeps a ledger running: starts it, connects it with the router, opens files for it, and waits for its last word at
 * the end. Privilege: root. Of what it says only fixed-size numbers are read; they name a site and a kind of file.
 */

import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { Channel } from '../control/channel.js';
import {
  type LedgerSettings,
  ledgerWish,
  readWish,
  toLedger,
  wishBytes,
} from '../control/ledger-messages.js';
import { orderMaxBytes, writeOrder } from '../control/router-messages.js';
import { messageOf } from '../error.js';
import type { UserEntry } from '../os/identity.js';
import type { Poller } from '../os/poller.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { deathText } from '../os/signal.js';
import { close, seqpacketPair, setBlocking } from '../os/socket.js';
import { afterFailure, type BackOff, noFailure } from '../pool/back-off.js';
import type { Site } from '../site/site.js';
import { usageDirectory } from './layout.js';
import { startOwnProgram } from './own-process.js';
import { type SiteLogs, siteLogKind } from './site-logs.js';

export interface LedgerLinkSetup {
  readonly poller: Poller;
  readonly log: Logger;
  readonly user: UserEntry;
  readonly config: Config;
  readonly logs: SiteLogs;
  logFd(): number;
  siteOf(id: number): Site | undefined;
  /** Gives the router its end of a new link; taken over. */
  connectRouter(fd: number): void;
}

/** A ledger that lets more messages than this pile up does not work any more. */
const maxWaiting = 10_000;
const soundAfterMs = 10_000;
/** At the end it has so long to write down what it has. */
const lastWordMs = 5000;

export class LedgerLink {
  restarts = 0;
  readonly #setup: LedgerLinkSetup;
  readonly #bytes = Buffer.allocUnsafe(orderMaxBytes);
  #process: { readonly pid: number; readonly pidfd: number; readonly channel: Channel } | undefined;
  #startedMs = 0;
  #backOff: BackOff = noFailure;
  #finished: (() => void) | undefined;

  constructor(setup: LedgerLinkSetup) {
    this.#setup = setup;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** There is a new ledger, or a new router. */
  connect(): void {
    if (this.#process === undefined) return;
    const [ours, theirs] = seqpacketPair();
    this.#order(toLedger.router, 0, 0, undefined, ours);
    this.#setup.connectRouter(theirs);
  }

  /** Files have been renamed. */
  reopen(logFd: number): void {
    this.#order(toLedger.reopen, 0, 0);
    this.#order(toLedger.log, 0, 0, undefined, logFd);
  }

  /** The last router has ended. Calls back when the ledger has too. */
  finish(done: () => void): void {
    if (this.#process === undefined) {
      done();
      return;
    }
    this.#finished = done;
    this.#order(toLedger.finish, 0, 0);
    setTimeout(() => {
      this.#kill();
    }, lastWordMs).unref();
  }

  /** A child of the master has ended: was it the ledger? */
  childDied(pid: number, exitCode: number | null, signal: number | null): boolean {
    if (pid !== this.#process?.pid) return false;
    const { channel, pidfd } = this.#process;
    channel.close();
    close(pidfd);
    this.#process = undefined;
    if (this.#finished !== undefined) {
      this.#finished();
      return true;
    }
    this.#setup.log.error({ pid, how: deathText(exitCode, signal) }, 'ledger died');
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
      if (this.#finished === undefined) this.#start();
    }, pauseMs);
  }

  #start(): void {
    const { poller, user, config, log } = this.#setup;
    this.#startedMs = performance.now();
    const [ours, theirs] = seqpacketPair();
    setBlocking(theirs, false);
    const pid = startOwnProgram({
      title: 'guise: ledger',
      entry: 'ledger/main.js',
      engineOptions: ['--single-threaded', '--max-semi-space-size=2'],
      user,
      logFd: this.#setup.logFd(),
      channel: theirs,
      writable: usageDirectory(config),
      nice: 5,
    });
    close(theirs);
    const channel = new Channel(poller, ours, Buffer.allocUnsafe(2 * wishBytes), maxWaiting, {
      message: (bytes, length, info) => {
        for (let i = 1; i <= (info[0] ?? 0); i++) close(info[i] ?? -1); // it has none to give
        this.#wished(bytes, length);
      },
      ended: () => {
        this.#kill();
      },
    });
    this.#process = { pid, pidfd: pidfdOpen(pid), channel };
    this.#order(toLedger.settings, 0, 0, settingsOf(config));
    this.connect();
    log.info({ pid, restarts: this.restarts }, 'ledger started');
  }

  #wished(bytes: Buffer, length: number): void {
    const wish = readWish(bytes, length);
    if (wish === undefined) {
      this.#kill();
      return;
    }
    if (wish.type === ledgerWish.ready) return;
    const fd = this.#file(wish.site, wish.kind, wish.type === ledgerWish.rotate);
    this.#order(fd < 0 ? toLedger.noFile : toLedger.file, wish.site, wish.kind, undefined, fd);
  }

  /** -1: there is none, for the site has gone, or the disk is full. */
  #file(id: number, number: number, isFull: boolean): number {
    const site = this.#setup.siteOf(id);
    const kind = siteLogKind(number);
    if (site === undefined || kind === undefined) return -1;
    try {
      if (isFull) this.#setup.logs.rotate(site.name, kind);
      return this.#setup.logs.open(site, kind);
    } catch (thrown) {
      this.#setup.log.error({ site: site.name, problem: messageOf(thrown) }, 'log file cannot be opened');
      return -1;
    }
  }

  #order(type: number, site: number, a: number, payload?: unknown, descriptor = -1): void {
    const length = writeOrder(this.#bytes, { type, site, worker: 0, a, b: 0 }, payload);
    if (this.#process === undefined) {
      if (descriptor >= 0) close(descriptor);
    } else if (!this.#process.channel.send(this.#bytes, length, descriptor)) this.#kill();
  }

  #kill(): void {
    if (this.#process !== undefined) pidfdSignal(this.#process.pidfd, 9);
  }
}

function settingsOf(config: Config): LedgerSettings {
  const { ledger, paths } = config;
  return {
    usageDirectory: usageDirectory(config),
    usageDays: ledger.usageDays,
    fileBytes: ledger.fileBytes,
    minFreeBytes: ledger.minFreeBytes,
    logDirectory: paths.log,
  };
}
