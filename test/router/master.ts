/** A router as a process of its own, with the test in the master's place. */

import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import {
  type RouterOrder,
  type RouterRequest,
  readRequest,
  requestBytes,
  toMaster,
  toRouter,
  writeOrder,
} from '../../src/control/router-messages.js';
import { userByName } from '../../src/os/identity.js';
import { launch } from '../../src/os/launch.js';
import { pidfdOpen, pidfdSignal } from '../../src/os/process.js';
import { close, listenUnix, memfd, receive, sendMessage, seqpacketPair } from '../../src/os/socket.js';
import { deathOf, until } from '../os/running.js';
import { FakeWorker } from './fake-worker.js';
import { siteConfig } from './rig.js';

const program = fileURLToPath(new URL('../../src/router/main.js', import.meta.url));

export function launchRouter(channel: number, log: number, identity: string): number {
  return launch({
    file: process.execPath,
    args: ['guise: router', program],
    env: { GUISE_ROUTER_USER: identity },
    cwd: '/',
    descriptors: [-1, log, log, channel],
    noNewPrivileges: true,
    newSession: true,
  }).pid;
}

export class TestMaster {
  readonly pid: number;
  readonly socket: string;
  readonly log = memfd('log');
  readonly #channel: number;
  readonly #pidfd: number;
  readonly #bytes = Buffer.alloc(100_000);
  #isOpen = true;
  #lastWorker = 0;

  private constructor(t: Test) {
    const directory = mkdtempSync('/tmp/guise-router-');
    const [ours, theirs] = seqpacketPair();
    const user = userByName('daemon');
    if (user === undefined) throw new Error('there is no user daemon');
    this.#channel = ours;
    this.pid = launchRouter(theirs, this.log, `${user.uid}:${user.gid}:${user.groups.join(',')}`);
    this.#pidfd = pidfdOpen(this.pid);
    this.socket = `${directory}/shared.sock`;
    close(theirs);
    t.teardown(() => {
      this.signal(9);
      this.leave();
      close(this.#pidfd);
      rmSync(directory, { recursive: true });
    });
  }

  /** A router that serves one site, number 1, on the shared socket. */
  static async start(t: Test): Promise<TestMaster> {
    const master = new TestMaster(t);
    const none = { site: 0, worker: 0, a: 0, b: 0 };
    master.order(
      { ...none, type: toRouter.settings },
      {
        webUids: [0],
        maxConnections: 100,
        maxHeadBytes: 65_536,
        readTimeoutMs: 60_000,
        spoolDirectory: '/tmp',
        spoolMinFreeBytes: 0,
        control: { owners: true },
        user: 'daemon',
      },
    );
    await master.hear(toMaster.ready);
    master.order({ ...none, type: toRouter.site, site: 1 }, siteConfig);
    const listener = listenUnix(master.socket, 10);
    master.order({ ...none, type: toRouter.listener }, undefined, listener);
    close(listener);
    return master;
  }

  order(order: RouterOrder, payload?: unknown, descriptor = -1): void {
    const length = writeOrder(this.#bytes, order, payload);
    const sent = sendMessage(this.#channel, this.#bytes, 0, length, descriptor, -1);
    if (sent !== length) throw new Error(`the router does not take an order: ${sent}`);
  }

  /** Waits for the router's next request, which must be of this type. */
  async hear(type: number): Promise<RouterRequest> {
    const bytes = Buffer.alloc(requestBytes + 1);
    let request: RouterRequest | undefined;
    await until(`a request of type ${type}`, () => {
      const length = receive(this.#channel, bytes, 0, bytes.length);
      if (length > 0) request = readRequest(bytes, length);
      if (length === 0) throw new Error('the router is gone');
      return length > 0;
    });
    if (request?.type !== type) throw new Error(`heard ${request?.type}, not ${type}`);
    return request;
  }

  giveWorker(t: Test): FakeWorker {
    const [ours, theirs] = seqpacketPair();
    const worker = new FakeWorker(++this.#lastWorker, theirs);
    this.order({ type: toRouter.worker, site: 1, worker: worker.id, a: 0, b: 0 }, undefined, ours);
    close(ours);
    t.teardown(() => worker.die());
    return worker;
  }

  signal(signal: number): void {
    pidfdSignal(this.#pidfd, signal);
  }

  /** As if the master died. */
  leave(): void {
    if (this.#isOpen) close(this.#channel);
    this.#isOpen = false;
  }

  /** The exit code of the router; null when a signal ended it. */
  async end(): Promise<number | null> {
    return (await deathOf(this.pid)).exitCode;
  }
}
