/**
 * The workers of one site as the master knows them: ordered from a template, then born, then gone. Owns each
 * worker's pidfd, through which alone it is signalled, and the router's end of its channel until it is born.
 */

import { GuiseError } from '../error.js';
import { errno } from '../os/errno.js';
import { isRunBy, pidfdOpen, pidfdSignal } from '../os/process.js';
import { close } from '../os/socket.js';
import type { Wear } from '../pool/recycling.js';

/** Where PHP's globals lie in a worker's memory, and which engine it is: by its own word; 0: unknown. */
export interface Engine {
  readonly globals: number;
  readonly version: number;
}

const unknown: Engine = { globals: 0, version: 0 };

interface Record {
  readonly id: number;
  /** The router's end of the job channel; -1 once it has been handed over. */
  channel: number;
  pid: number;
  pidfd: number;
  engine: Engine;
  bornMs: number;
  /** What it took when it last had no request and was measured; 0: that has not been. */
  bytes: number;
}

/** The tables of every site that has no workers: most have none. Nothing is ever put into it. */
const nobody = new Map<number, Record>();

export class WorkerTable {
  #records = nobody;
  #byPid = nobody;
  readonly #uid: number;
  #promised = 0;

  /** @param uid the user whose processes alone can be workers */
  constructor(uid: number) {
    this.#uid = uid;
  }

  get size(): number {
    return this.#records.size;
  }

  get pids(): number[] {
    return [...this.#byPid.keys()];
  }

  /** Those that have been born. */
  wear(nowMs: number): Wear[] {
    return [...this.#byPid.values()].map(({ id, bornMs, bytes }) => ({
      worker: id,
      ageMs: nowMs - bornMs,
      bytes,
    }));
  }

  /** It has been measured while it had no request. */
  weighed(id: number, bytes: number): void {
    const record = this.#records.get(id);
    if (record !== undefined) record.bytes = bytes;
  }

  has(id: number): boolean {
    return this.#records.has(id);
  }

  ordered(id: number, channel: number): void {
    if (this.#records === nobody) {
      this.#records = new Map();
      this.#byPid = new Map();
    }
    this.#records.set(id, { id, channel, pid: -1, pidfd: -1, engine: unknown, bornMs: 0, bytes: 0 });
  }

  /**
   * The worker lives. Returns its channel, which the caller takes over (-1: it has none); undefined when there is no
   * such order, or when it is gone already. Then its process id may be somebody else's by now.
   */
  born(id: number, pid: number, engine = unknown): number | undefined {
    const record = this.#records.get(id);
    if (record === undefined || record.pid !== -1 || pid <= 1) return undefined;
    // One process that says it is two workers would leave one of them in the table for good.
    if (this.#byPid.has(pid)) return undefined;
    const pidfd = openOwn(pid, this.#uid);
    if (pidfd < 0) return undefined;
    record.pid = pid;
    record.pidfd = pidfd;
    record.bornMs = performance.now();
    record.engine = engine;
    this.#byPid.set(pid, record);
    const { channel } = record;
    record.channel = -1;
    return channel;
  }

  /** Whether a worker has been ordered and not yet been born. */
  isUnborn(id: number): boolean {
    return this.#records.get(id)?.pid === -1;
  }

  /** 0 before it is born, and when it is gone. */
  pidOf(id: number): number {
    const record = this.#records.get(id);
    return record !== undefined && record.pidfd >= 0 && pidfdSignal(record.pidfd, 0) ? record.pid : 0;
  }

  engineOf(id: number): Engine {
    return this.#records.get(id)?.engine ?? unknown;
  }

  /** The number of the worker that is this process. */
  withPid(pid: number): number | undefined {
    return this.#byPid.get(pid)?.id;
  }

  /** Whether its process is still there. */
  isAlive(id: number): boolean {
    const record = this.#records.get(id);
    return record !== undefined && record.pidfd >= 0 && pidfdSignal(record.pidfd, 0);
  }

  /** Those that were born and are neither there nor waiting to be reaped: whoever was their parent kept their end to itself. */
  vanished(): number[] {
    return [...this.#byPid.values()].filter(({ pidfd }) => !pidfdSignal(pidfd, 0)).map(({ id }) => id);
  }

  kill(id: number): void {
    this.signal(id, 9);
  }

  /** signal(7), to this worker, once it has been born. */
  signal(id: number, signal: number): void {
    const record = this.#records.get(id);
    if (record !== undefined && record.pidfd >= 0) pidfdSignal(record.pidfd, signal);
  }

  killAll(): void {
    this.signalAll(9);
  }

  /** signal(7), to every worker that has been born. */
  signalAll(signal: number): void {
    for (const { pidfd } of this.#records.values()) if (pidfd >= 0) pidfdSignal(pidfd, signal);
  }

  /** Forgets a worker; returns its pid, -1 when it was never born, undefined when it is unknown. */
  gone(id: number): number | undefined {
    const record = this.#records.get(id);
    if (record === undefined) return undefined;
    this.#records.delete(id);
    if (record.channel >= 0) close(record.channel);
    if (record.pidfd >= 0) close(record.pidfd);
    if (record.pid > 0) this.#byPid.delete(record.pid);
    if (this.#records.size === 0) {
      this.#records = nobody;
      this.#byPid = nobody;
    }
    return record.pid;
  }

  /**
   * The router sees the end of a worker on its channel before the process is reaped here. What it then asks for above
   * the limit is room that is about to be there. Returns how many of `count` can be promised for it.
   */
  promise(count: number): number {
    const promised = Math.max(0, Math.min(count, this.size - this.#promised));
    this.#promised += promised;
    return promised;
  }

  /** A worker has gone: whether one was promised in its place. */
  redeem(): boolean {
    if (this.#promised === 0) return false;
    this.#promised--;
    return true;
  }

  /** Those that have been ordered and not yet been born. */
  unborn(): number[] {
    return [...this.#records.values()].filter((record) => record.pid === -1).map((record) => record.id);
  }
}

/** The pidfd of this process, -1 when it is gone or is not this user's. */
function openOwn(pid: number, uid: number): number {
  const pidfd = open(pid);
  if (pidfd < 0) return -1;
  if (isRunBy(pid, pidfd, uid)) return pidfd;
  close(pidfd);
  return -1;
}

function open(pid: number): number {
  try {
    return pidfdOpen(pid);
  } catch (thrown) {
    if (thrown instanceof GuiseError && thrown.detail.errno === errno.ESRCH) return -1;
    throw thrown;
  }
}
