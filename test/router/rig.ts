/**
 * A dispatcher in a world of real sockets: the test holds the worker's end of each job channel and the web server's
 * end of each connection, and writes down what the dispatcher asks for.
 */

import type { Test } from 'tap';
import type { RouterSite } from '../../src/control/router-messages.js';
import type { Slate } from '../../src/control/slate.js';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { Poller } from '../../src/os/poller.js';
import { close, seqpacketPair, streamPair } from '../../src/os/socket.js';
import { Head } from '../../src/request/head.js';
import { defaultReadLimits } from '../../src/request/limits.js';
import { RequestReader } from '../../src/request/reader.js';
import type { StoredBody } from '../../src/request/spool.js';
import { Connection } from '../../src/router/connection.js';
import { Dispatcher } from '../../src/router/dispatch.js';
import type { Ending } from '../../src/router/ending.js';
import { Exchange } from '../../src/router/exchange.js';
import { RoutedSite } from '../../src/router/routed-site.js';
import { aRound } from '../harness/sockets.js';
import { FakeWorker } from './fake-worker.js';

export const siteConfig: RouterSite = {
  name: 'a.test',
  aliases: [],
  keyHashes: [],
  keyRequired: false,
  visitors: {},
  isHidden: false,
  mode: 'pool',
  ownSocket: false,
  maxWorkers: 4,
  maxRequests: 0,
  spare: 0,
  onDisconnect: 'finish',
  timeLimitMs: 60_000,
  idleTimeoutMs: 60_000,
  queueLength: 10,
  queueTimeoutMs: 60_000,
  maxBodyBytes: 1_000_000,
  uid: 1000,
  slowAfterMs: 0,
  ledger: 'all',
  ledgerSample: 1,
  ledgerSlowerThanMs: 0,
  ledgerLinesPerSecond: 1000,
};

export const emptyBody: StoredBody = { kind: 'memory', buffer: Buffer.alloc(0), length: 0 };

export function headOf(params: Readonly<Record<string, string>>, keep = false, requestId = 1): Head {
  const head = Head.scan(requestId, keep, encodePairs(Object.entries(params)), 1000);
  if (typeof head === 'string') throw new Error(head);
  return head;
}

export interface Request {
  readonly exchange: Exchange;
  readonly connection: Connection;
  /** The web server's end. */
  readonly webServer: number;
}

export interface RequestKind {
  readonly keep?: boolean;
  /** The number of the site whose own socket it comes in on. */
  readonly ownSocket?: number;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: StoredBody;
}

export class Rig {
  readonly poller = new Poller();
  readonly endings: { readonly exchange: Exchange; readonly ending: Ending }[] = [];
  readonly demands: { readonly site: string; readonly count: number }[] = [];
  readonly free: [number, number][] = [];
  readonly kills: number[] = [];
  readonly changed: string[] = [];
  readonly dispatcher: Dispatcher;
  readonly #t: Test;
  #lastSite = 0;
  #lastWorker = 0;

  constructor(t: Test) {
    this.#t = t;
    t.teardown(() => this.poller.close());
    this.dispatcher = new Dispatcher(this.poller, {
      ended: (exchange, ending) => this.endings.push({ exchange, ending }),
      demand: (site, count) => this.demands.push({ site: site.name, count }),
      free: (site, worker) => this.free.push([site.id, worker]),
      kill: (_site, worker) => this.kills.push(worker),
      changed: (site) => this.changed.push(site.name),
    });
  }

  site(config: Partial<RouterSite> = {}): RoutedSite {
    return new RoutedSite(++this.#lastSite, { ...siteConfig, ...config });
  }

  /** @param slate as a pool worker has one; without it, it says everything by message */
  worker(site: RoutedSite, slate?: Slate): FakeWorker {
    const [ours, theirs] = seqpacketPair();
    const worker = new FakeWorker(++this.#lastWorker, theirs);
    this.#t.teardown(() => worker.die());
    this.dispatcher.workerArrived(site, { id: worker.id, fd: ours, pid: 0, slate });
    return worker;
  }

  /** A complete request, not yet admitted. */
  request(site: RoutedSite, kind: RequestKind = {}): Request {
    const [ours, webServer] = streamPair();
    const reader = new RequestReader({
      limits: defaultReadLimits,
      spoolDirectory: '/nonexistent',
      maxConnections: 1,
    });
    const connection = new Connection(ours, kind.ownSocket ?? 0, reader, Infinity, this.poller, {
      readable: () => undefined,
      hungUp: () => undefined,
      flushed: () => connection.exchange?.relay?.resume(),
    });
    this.#t.teardown(() => {
      connection.release();
      close(webServer);
    });
    const head = headOf(kind.params ?? { SCRIPT_FILENAME: '/srv/a.php' }, kind.keep);
    const exchange = new Exchange(connection, site, head, kind.body ?? emptyBody, performance.now(), '');
    connection.exchange = exchange;
    return { exchange, connection, webServer };
  }

  admit(site: RoutedSite, kind: RequestKind = {}): Request {
    const request = this.request(site, kind);
    this.dispatcher.admit(request.exchange);
    return request;
  }

  /** How a request has ended; undefined while it has not. Twice is an error. */
  endingOf({ exchange }: Request): Ending | undefined {
    const endings = this.endings.filter((entry) => entry.exchange === exchange);
    if (endings.length > 1) throw new Error('a request has ended twice');
    return endings[0]?.ending;
  }

  /** Whatever is due has been handled when this resolves. */
  settle(): Promise<void> {
    return aRound(this.poller);
  }
}
