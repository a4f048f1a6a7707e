/**
 * The channel between the master and the router, one SOCK_SEQPACKET datagram per message.
 *
 * To the router (trusted direction): six 32-bit numbers, then JSON for the few messages that carry a table row.
 * To the master: numbers only, in messages of three sizes that tell them apart: requests (`requestBytes`), figures
 * (figure-messages.ts), and demands for a directory, whose name is the only text. The router reads bytes from the web,
 * so nothing it says is parsed, and nothing but the messages listed here exists.
 *
 * | to the master | when it is permitted | what it may cause |
 * |---|---|---|
 * | ready | once | the listening sockets are handed over |
 * | demand | a site that exists | workers of that site, within its limits and the machine's |
 * | autoDemand | a directory that a pattern of [auto] matches | the same, as the directory's owner |
 * | kill | a worker of that site | SIGKILL for that worker |
 * | siteFigures | at any time | figures in an answer of the control socket |
 * | statusEnd | after `status` | the answer itself |
 * | drained | after `drain` | the router's end |
 * | look | a worker of that site | what the kernel says of its process, and its PHP stack, back to the router |
 * | free | a worker of that site | its memory is measured, and it may be replaced |
 * | gaveUp | after `shortage` | it counts for how many workers the master waits for half a second |
 */

import type { LedgerPolicy } from '../account/ledger-policy.js';
import type { Config } from '../config/config.js';

export const toRouter = {
  settings: 1,
  site: 2,
  siteGone: 3,
  listener: 4,
  listenerGone: 5,
  worker: 6,
  workerGone: 7,
  noWorker: 8,
  status: 9,
  drain: 10,
  siteKeys: 11,
  ledger: 12,
  log: 13,
  processState: 14,
  slates: 15,
  sites: 16,
  directSite: 17,
  directWorker: 18,
  directWorkerGone: 19,
  noRoom: 20,
  room: 21,
  shortage: 22,
  yield: 23,
  weigh: 24,
  recycle: 25,
} as const;

/** Of `listener`, in `a`: how a peer there is told by its uid. */
export const listenerKind = { unix: 0, tcp: 1, requests: 2 } as const;

/** Why the master does not give a worker. */
export const noWorkerReason = {
  machineLimit: 1,
  siteLimit: 2,
  startFailed: 3,
  throttled: 4,
  stopping: 5,
  autoRefused: 6,
  quarantined: 7,
  disabled: 8,
} as const;

export const orderHeaderBytes = 24;
/**
 * The row of a site with as many aliases and visitors as it may have (site/schema.ts) fits into this, and this into
 * one message (net.core.wmem_default).
 */
export const orderMaxBytes = 200 * 1024;

/** What the router must know of itself. */
export interface RouterSettings {
  readonly webUids: readonly number[];
  readonly maxConnections: number;
  readonly maxHeadBytes: number;
  readonly readTimeoutMs: number;
  /** Where bodies too large for memory go (O_TMPFILE): the router's own directory. */
  readonly spoolDirectory: string;
  readonly spoolMinFreeBytes: number;
  /** Who may see and end requests, beside the users of their sites (control/roles.ts). */
  readonly control: Config['control'];
  readonly user: string;
  readonly auto?: RouterAuto;
}

/** Sites that are directories: patterns, and what holds for every one of them, the common keys included. */
export interface RouterAuto {
  readonly roots: readonly string[];
  readonly site: RouterSite;
}

/** What the router must know of a site. Keys are here only as SHA-256 in hexadecimal. */
export interface RouterSite extends LedgerPolicy {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly keyHashes: readonly string[];
  readonly keyRequired: boolean;
  /** Authenticated visitors, and the name of the site that each one's requests go to. */
  readonly visitors: Readonly<Record<string, string>>;
  /** Reached through another site's `visitors` only, by no key and no host name. */
  readonly isHidden: boolean;
  readonly mode: 'pool' | 'per-request';
  readonly ownSocket: boolean;
  readonly maxWorkers: number;
  readonly maxRequests: number;
  readonly spare: number;
  readonly timeLimitMs: number;
  readonly onDisconnect: 'finish' | 'stop';
  readonly idleTimeoutMs: number;
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly maxBodyBytes: number;
  /** Whom it runs as; 0 for the row that stands for all automatic sites. */
  readonly uid: number;
  /** A request that runs for longer gets a line in the slow log; 0: none does. */
  readonly slowAfterMs: number;
  readonly ledgerLinesPerSecond: number;
}

/** What the router must know of a site of the direct lane, whose requests it reads of in logbooks (control/logbook.ts). */
export interface RouterDirectSite extends LedgerPolicy {
  readonly name: string;
  readonly uid: number;
  /** Workers that the memory has room for. */
  readonly slots: number;
  readonly slowAfterMs: number;
  readonly ledgerLinesPerSecond: number;
}

/** Of `processState`: what the kernel says of a worker, in its own words. Absent: it does not tell. */
export interface ProcessState {
  /** As ps(1) has it: R runs, S sleeps, D waits for a disk, T is stopped. */
  readonly state?: string;
  readonly userMs?: number;
  readonly systemMs?: number;
  readonly rssKb?: number;
  /** The function of the kernel that it waits in. */
  readonly wchan?: string;
  /** The number of the system call that it is in; -1: in none. */
  readonly syscall?: number;
}

/** Why there is no PHP stack: nobody knows where it lies in this PHP; too many are being read; no script runs. */
export type StackProblem = 'unknown-php' | 'busy' | 'unreadable' | 'no-script' | 'unsafe';

/** Of `processState`: with it comes a descriptor on which the stack arrives, or a problem. */
export interface ProcessLook {
  readonly state: ProcessState;
  readonly problem?: StackProblem;
}

/** Of `siteKeys`: the keys that a site accepts from now on. */
export type RouterKeys = Pick<RouterSite, 'keyHashes'>;

export interface RouterOrder {
  readonly type: number;
  /** The site's number, 0 for the shared socket and for messages without a site. */
  readonly site: number;
  readonly worker: number;
  readonly a: number;
  readonly b: number;
  readonly c?: number;
}

/** Writes an order and returns its length. One that does not fit into `out` is a bug: RangeError. */
export function writeOrder(out: Buffer, order: RouterOrder, payload?: unknown): number {
  out.writeUInt32LE(order.type, 0);
  out.writeUInt32LE(order.site, 4);
  out.writeUInt32LE(order.worker, 8);
  out.writeUInt32LE(order.a, 12);
  out.writeUInt32LE(order.b, 16);
  out.writeUInt32LE(order.c ?? 0, 20);
  if (payload === undefined) return orderHeaderBytes;
  const json = JSON.stringify(payload);
  const length = orderHeaderBytes + Buffer.byteLength(json);
  // Half a row would end the router, and the next one, and so on.
  if (length > out.length) throw new RangeError(`an order of ${length} bytes`);
  out.write(json, orderHeaderBytes, 'utf8');
  return length;
}

export function readOrder(buffer: Buffer): RouterOrder {
  return {
    type: buffer.readUInt32LE(0),
    site: buffer.readUInt32LE(4),
    worker: buffer.readUInt32LE(8),
    a: buffer.readUInt32LE(12),
    b: buffer.readUInt32LE(16),
    c: buffer.readUInt32LE(20),
  };
}

/** The JSON behind an order's numbers. Written by the master, so it is taken at its word. */
export function readPayload(buffer: Buffer, length: number): unknown {
  return JSON.parse(buffer.toString('utf8', orderHeaderBytes, length));
}

export const toMaster = {
  ready: 1,
  demand: 2,
  kill: 3,
  siteFigures: 4,
  statusEnd: 5,
  drained: 6,
  look: 7,
  gaveUp: 8,
  free: 9,
} as const;

/** Of the one message to the master that holds text, a directory's name. It has a size of its own. */
export const autoDemandBytes = 120;
const autoNameOffset = 16;

export interface AutoDemand {
  /** The number that the router has given to the site. */
  readonly site: number;
  readonly pattern: number;
  readonly count: number;
  /** How many of them somebody waits for. */
  readonly needed: number;
  /** As sent: the master checks it. */
  readonly name: string;
}

/** @param demand with a name of at most 100 bytes */
export function writeAutoDemand(out: Buffer, demand: AutoDemand): void {
  out.fill(0, 0, autoDemandBytes);
  out.writeUInt32LE(demand.site, 0);
  out.writeUInt32LE(demand.pattern, 4);
  out.writeUInt32LE(demand.count, 8);
  out.writeUInt32LE(demand.needed, 12);
  out.write(demand.name, autoNameOffset, autoDemandBytes - autoNameOffset, 'latin1');
}

/** Reads a demand of `length` bytes; undefined when it is none. */
export function readAutoDemand(buffer: Buffer, length: number): AutoDemand | undefined {
  if (length !== autoDemandBytes) return undefined;
  const end = buffer.indexOf(0, autoNameOffset);
  return {
    site: buffer.readUInt32LE(0),
    pattern: buffer.readUInt32LE(4),
    count: buffer.readUInt32LE(8),
    needed: buffer.readUInt32LE(12),
    name: buffer.toString('latin1', autoNameOffset, end < 0 || end > length ? length : end),
  };
}

export const requestBytes = 16;

export interface RouterRequest {
  readonly type: number;
  readonly site: number;
  /** demand: how many of them somebody waits for; gaveUp: 1 where there were no more idle workers, else 0. */
  readonly worker: number;
  /** demand: how many workers, 0: none any more; statusEnd: connections; gaveUp: how many idle workers end. */
  readonly count: number;
}

export function writeRequest(out: Buffer, type: number, site: number, worker: number, count: number): void {
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(site, 4);
  out.writeUInt32LE(worker, 8);
  out.writeUInt32LE(count, 12);
}

/** Reads a request of `length` bytes; undefined when it is none. */
export function readRequest(buffer: Buffer, length: number): RouterRequest | undefined {
  if (length !== requestBytes) return undefined;
  const type = buffer.readUInt32LE(0);
  if (type < toMaster.ready || type > toMaster.free || type === toMaster.siteFigures) return undefined;
  return {
    type,
    site: buffer.readUInt32LE(4),
    worker: buffer.readUInt32LE(8),
    count: buffer.readUInt32LE(12),
  };
}
