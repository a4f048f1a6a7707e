/**
 * The ledger's process: takes batches from routers, counts them, and writes lines into files that the master opens
 * for it. Started, confined and restarted like the router, as the same user. It ends when it has been told to finish,
 * or its master is gone, and its last router has hung up.
 *
 * Descriptors: 1 and 2 the log, 3 the master's channel.
 */

import { statfsSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import { acknowledgementBytes, batchMaxBytes, decodeBatch } from '../account/batch.js';
import { LineBudget } from '../account/line-budget.js';
import { LogStream } from '../account/log-stream.js';
import { Channel } from '../control/channel.js';
import {
  type LedgerSettings,
  ledgerWish,
  toLedger,
  wishBytes,
  writeWish,
} from '../control/ledger-messages.js';
import { orderMaxBytes, readOrder, readPayload } from '../control/router-messages.js';
import { messageOf } from '../error.js';
import { Poller } from '../os/poller.js';
import { dropDumpable } from '../os/process.js';
import { becomeStartedUser } from '../os/started-as.js';
import { SiteFiles } from './site-files.js';
import { UsageStore } from './usage-store.js';

const masterFd = 3;
const maxWaiting = 10_000;
/** How often journals are added to the days, and idle files closed, while there is anything to do. */
const settlePeriodMs = 60_000;
/** A batch that could not be kept is tried again. */
const retryMs = 1000;

class Ledger {
  readonly #poller = new Poller();
  readonly #stream = new LogStream(2);
  readonly #log: Logger;
  readonly #budget = new LineBudget(1);
  readonly #routers = new Set<Channel>();
  readonly #buffer = Buffer.allocUnsafe(2 * batchMaxBytes);
  readonly #wish = Buffer.alloc(wishBytes);
  readonly #master: Channel;
  #store: UsageStore | undefined;
  #files: SiteFiles | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFinishing = false;

  constructor() {
    this.#log = pino({ base: { process: 'ledger' }, timestamp: pino.stdTimeFunctions.isoTime }, this.#stream);
    this.#master = new Channel(this.#poller, masterFd, Buffer.allocUnsafe(orderMaxBytes), maxWaiting, {
      message: (bytes, length, info) => {
        this.#ordered(bytes, length, info[0] === 0 ? -1 : (info[1] ?? -1));
      },
      ended: () => {
        this.#finish();
      },
    });
  }

  #ordered(bytes: Buffer, length: number, descriptor: number): void {
    const order = readOrder(bytes);
    switch (order.type) {
      case toLedger.settings:
        this.#begin(readPayload(bytes, length) as LedgerSettings);
        break;
      case toLedger.router:
        this.#link(descriptor);
        break;
      case toLedger.file:
        this.#files?.given(order.site, order.a, descriptor);
        break;
      case toLedger.noFile:
        this.#files?.given(order.site, order.a, -1);
        break;
      case toLedger.reopen:
        this.#files?.reopen();
        break;
      case toLedger.log:
        this.#stream.replace(descriptor);
        break;
      case toLedger.finish:
        this.#finish();
        break;
      default:
    }
  }

  #begin(settings: LedgerSettings): void {
    this.#store = new UsageStore(settings.usageDirectory, settings.usageDays);
    this.#files = new SiteFiles({
      maxBytes: settings.fileBytes,
      hasRoom: () => hasRoom(settings),
      ask: (site, kind, isFull) => {
        this.#tell(isFull ? ledgerWish.rotate : ledgerWish.open, site, kind);
      },
      gone: (lines) => this.#log.warn({ lines }, 'a site was removed before its last lines were written'),
      problem: (problem, lines) => {
        this.#complain({ problem: messageOf(problem), lines }, 'lines of the ledger are left out');
      },
    });
    this.#tell(ledgerWish.ready, 0, 0);
  }

  #link(fd: number): void {
    const router = new Channel(this.#poller, fd, this.#buffer, 4, {
      message: (bytes, length) => {
        this.#received(router, bytes.toString('utf8', 0, length));
      },
      ended: () => {
        this.#routers.delete(router);
        this.#endIfDone();
      },
    });
    this.#routers.add(router);
  }

  #received(router: Channel, text: string): void {
    const batch = decodeBatch(text);
    if (batch === undefined || this.#store === undefined) {
      this.#complain({}, 'a router sends what is no batch');
      router.close();
      this.#routers.delete(router);
      return;
    }
    try {
      const isNew = this.#store.take(batch.epoch, batch.sequence, batch.usage);
      if (isNew) this.#files?.add(batch.lines, performance.now());
      acknowledge(router, batch.sequence);
    } catch (thrown) {
      this.#complain({ problem: messageOf(thrown) }, 'usage cannot be written');
      setTimeout(() => {
        if (router.isOpen) this.#received(router, text);
      }, retryMs);
    }
    this.#watch();
  }

  #watch(): void {
    if (this.#timer !== undefined || this.#isFinishing) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#settle();
      this.#files?.closeIdle(performance.now());
      if ((this.#files?.size ?? 0) > 0) this.#watch();
    }, settlePeriodMs);
  }

  #settle(): void {
    try {
      this.#store?.settle();
    } catch (thrown) {
      this.#complain({ problem: messageOf(thrown) }, 'usage cannot be written');
    }
  }

  /** A channel that takes nothing any more does not tell its end later. */
  #tell(type: number, site: number, kind: number): void {
    writeWish(this.#wish, { type, site, kind });
    if (!this.#master.send(this.#wish, wishBytes)) setImmediate(() => this.#finish());
  }

  #complain(fields: object, message: string): void {
    const suppressed = this.#budget.take(performance.now());
    if (suppressed !== undefined) this.#log.error({ ...fields, suppressed }, message);
  }

  #finish(): void {
    this.#isFinishing = true;
    clearTimeout(this.#timer);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isFinishing || this.#routers.size > 0) return;
    try {
      this.#store?.close();
    } catch (thrown) {
      this.#complain({ problem: messageOf(thrown) }, 'usage cannot be written');
    }
    process.exit(0);
  }
}

function acknowledge(router: Channel, sequence: number): void {
  const answer = Buffer.alloc(acknowledgementBytes);
  answer.writeUInt32LE(sequence, 0);
  router.send(answer, answer.length);
}

function hasRoom({ logDirectory, minFreeBytes }: LedgerSettings): boolean {
  try {
    const { bavail, bsize } = statfsSync(logDirectory);
    return bavail * bsize >= minFreeBytes;
  } catch {
    return true; // unknown is not full: a disk that is tells it when it is written to
  }
}

process.title = 'guise: ledger';
becomeStartedUser();
dropDumpable();
new Ledger();
