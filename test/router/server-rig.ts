/** A router's server in one process with the test, which is its master, its web server and its workers. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import {
  orderMaxBytes,
  type RouterAuto,
  type RouterSite,
  toRouter,
  writeOrder,
} from '../../src/control/router-messages.js';
import { noteComplete, noteDone } from '../../src/control/worker-messages.js';
import { encodeAnswer } from '../../src/fastcgi/encode.js';
import { Poller } from '../../src/os/poller.js';
import { close, memfd, send, seqpacketPair, streamPair } from '../../src/os/socket.js';
import { Acceptor } from '../../src/router/acceptor.js';
import { DirectSites } from '../../src/router/direct-sites.js';
import { RouterLog } from '../../src/router/log.js';
import { carryOut } from '../../src/router/orders.js';
import { Server } from '../../src/router/serve.js';
import { request } from '../harness/fcgi-client.js';
import { aRound, arrived } from '../harness/sockets.js';
import { FakeWorker } from './fake-worker.js';
import { siteConfig } from './rig.js';

export const page = encodeAnswer(1, Buffer.from('Status: 200 OK\r\n\r\nhello'));
export const keyOf = (digit: string) => digit.repeat(64);
const hashOf = (digit: string) => createHash('sha256').update(keyOf(digit)).digest('hex');
export const keyed = (digit: string) => ({ keyHashes: [hashOf(digit)], keyRequired: true });

export function ask(params: Readonly<Record<string, string>>, keep = false, body = ''): Buffer {
  const length = body === '' ? {} : { CONTENT_LENGTH: String(body.length) };
  return request(
    { SERVER_NAME: 'a.test', SCRIPT_FILENAME: '/srv/a.php', ...length, ...params },
    { keep, body },
  );
}

/** Answers the next job of a worker, and says that it is done. */
export function answer(worker: FakeWorker, bytes = page): void {
  const job = worker.job();
  send(job.connection, bytes, 0, bytes.length);
  close(job.connection);
  worker.note({ type: noteDone, sequence: job.sequence, flags: noteComplete });
}

export class ServerRig {
  readonly poller = new Poller();
  readonly server: Server;
  readonly direct: DirectSites;
  readonly demands: { readonly site: number; readonly count: number }[] = [];
  readonly kills: number[] = [];
  readonly slow: number[] = [];
  closed = 0;
  readonly #acceptor: Acceptor;
  readonly #log = memfd('log');
  readonly forgotten: number[] = [];
  readonly free: [number, number][] = [];
  readonly gaveUp: [number, boolean][] = [];
  readonly #t: Test;
  readonly #bytes = Buffer.alloc(orderMaxBytes);
  #lastWorker = 0;

  constructor(t: Test, auto?: RouterAuto) {
    this.#t = t;
    const log = new RouterLog(this.#log);
    const settings = {
      webUids: [0],
      maxConnections: 100,
      maxHeadBytes: 65_536,
      readTimeoutMs: 60_000,
      spoolDirectory: '/tmp',
      spoolMinFreeBytes: 0,
      control: { owners: true },
      user: 'daemon',
      ...(auto === undefined ? {} : { auto }),
    };
    this.server = new Server(this.poller, settings, log, {
      demand: (site, count) => this.demands.push({ site: site.id, count }),
      kill: (_site, worker) => this.kills.push(worker),
      closed: () => this.closed++,
      forgotten: (site) => this.forgotten.push(site.id),
      free: (site, worker) => this.free.push([site.id, worker]),
      gaveUp: (count, isAll) => this.gaveUp.push([count, isAll]),
      slow: (exchange) => this.slow.push(exchange.worker),
    });
    this.direct = new DirectSites(this.server.ledger, {
      look: () => undefined,
      kill: (_site, worker) => this.kills.push(worker),
      quiet: () => undefined,
    });
    this.#acceptor = new Acceptor({
      poller: this.poller,
      log,
      webUids: [0],
      maxConnections: 100,
      count: () => this.server.connections.size,
      connected: (fd, listener) => this.server.connected(fd, listener),
    });
    t.teardown(() => {
      for (const connection of this.server.connections) connection.release();
      this.server.connections.clear();
      for (const site of this.server.byId.values()) clearTimeout(site.idleTimer);
      this.poller.close();
      close(this.#log);
    });
  }

  order(
    type: number,
    site: number,
    more: { worker?: number; a?: number; b?: number } = {},
    payload?: unknown,
  ): void {
    const length = writeOrder(this.#bytes, { type, site, worker: 0, a: 0, b: 0, ...more }, payload);
    this.#carryOut(length, -1);
  }

  open(site: number, config: Partial<RouterSite>): void {
    this.order(toRouter.site, site, {}, { ...siteConfig, ...config });
  }

  giveWorker(site: number): FakeWorker {
    const [ours, theirs] = seqpacketPair();
    const worker = new FakeWorker(++this.#lastWorker, theirs);
    this.#t.teardown(() => worker.die());
    const length = writeOrder(this.#bytes, { type: toRouter.worker, site, worker: worker.id, a: 0, b: 0 });
    this.#carryOut(length, ours);
    return worker;
  }

  /** A web server's end of a new connection, on the shared socket or on a site's own. */
  connect(site = 0): WebServer {
    const [ours, theirs] = streamPair();
    const webServer = new WebServer(this, theirs);
    this.#t.teardown(() => webServer.leave());
    this.server.connected(ours, { site, fd: -1, isTcp: false });
    return webServer;
  }

  settle(): Promise<void> {
    return aRound(this.poller);
  }

  /** Lines of the log that hold this. */
  logged(text: string): number {
    const lines = readFileSync(`/proc/self/fd/${this.#log}`, 'utf8').split('\n');
    return lines.filter((line) => line.includes(text)).length;
  }

  #carryOut(length: number, descriptor: number): void {
    const targets = {
      server: this.server,
      acceptor: this.#acceptor,
      direct: this.direct,
      status: () => undefined,
      drain: () => undefined,
      log: () => undefined,
      requests: () => undefined,
      state: () => undefined,
    };
    carryOut(targets, this.#bytes, length, descriptor);
  }
}

export class WebServer {
  readonly #rig: ServerRig;
  readonly #fd: number;
  #isOpen = true;

  constructor(rig: ServerRig, fd: number) {
    this.#rig = rig;
    this.#fd = fd;
  }

  /** Sends this, and lets the router do what is due. */
  async say(bytes: Buffer): Promise<void> {
    if (send(this.#fd, bytes, 0, bytes.length) !== bytes.length) throw new Error('not sent');
    await this.#rig.settle();
  }

  /** What has arrived so far. */
  heard(): Buffer {
    return arrived(this.#fd);
  }

  /** The status line of the answer that has arrived; empty when there is none. */
  status(): string {
    return /Status: (\d+)/.exec(this.heard().toString('latin1'))?.[1] ?? '';
  }

  /** Whether the router has ended the connection. */
  get isEnded(): boolean {
    return send(this.#fd, Buffer.alloc(1), 0, 0) < 0;
  }

  leave(): void {
    if (this.#isOpen) close(this.#fd);
    this.#isOpen = false;
  }
}
