/**
 * The channel between the master and one template: layouts as in native/preload/protocol.h, which a test compares
 * with these. A template runs as the site's user, so its reports are read with fixed sizes and believed only about
 * itself; a worker's pid is taken from the kernel's credentials, never from the report.
 */

export const orderBytes = 16;
export const orderFork = 1;
export const orderList = 2;
export const orderClose = 3;
const orderOneJob = 1;
const orderDirect = 2;

export interface ForkOrder {
  /** The master's number for the worker. */
  readonly worker: number;
  readonly oneJob: boolean;
  /** It accepts on the site's own socket; else the order carries its end of its job channel. */
  readonly isDirect: boolean;
  /** Its place in the shared counters, where it is direct. */
  readonly slot: number;
}

export function writeForkOrder(out: Buffer, order: ForkOrder): void {
  out.writeUInt32LE(orderFork, 0);
  out.writeUInt32LE(order.worker, 4);
  out.writeUInt32LE((order.oneJob ? orderOneJob : 0) | (order.isDirect ? orderDirect : 0), 8);
  out.writeUInt32LE(order.slot, 12);
}

/** The order that carries the list of the template's own children, as a descriptor. */
export function writeListOrder(out: Buffer): void {
  out.fill(0, 0, orderBytes);
  out.writeUInt32LE(orderList, 0);
}

/** No further request is to be taken. */
export function writeCloseOrder(out: Buffer): void {
  out.fill(0, 0, orderBytes);
  out.writeUInt32LE(orderClose, 0);
}

export const reportBytes = 40;
export const reportReady = 1;
export const reportBorn = 2;
export const reportExited = 3;
export const reportFailed = 4;
export const reportWaiting = 5;

export interface Report {
  readonly type: number;
  readonly worker: number;
  /** For reportExited the status of waitpid(2), for reportFailed an errno. */
  readonly status: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssKb: number;
}

/** Reads a report of `length` bytes from the beginning of `buffer`; undefined when it is none. */
export function readReport(buffer: Buffer, length: number): Report | undefined {
  if (length !== reportBytes) return undefined;
  const type = buffer.readUInt32LE(0);
  if (type < reportReady || type > reportWaiting) return undefined;
  return {
    type,
    worker: buffer.readUInt32LE(4),
    status: buffer.readInt32LE(12),
    userUs: Number(buffer.readBigUInt64LE(16)),
    systemUs: Number(buffer.readBigUInt64LE(24)),
    maxRssKb: Number(buffer.readBigUInt64LE(32)),
  };
}

/** waitpid(2): how a process ended, from its status word. */
export function decodeStatus(status: number): { exitCode: number | null; signal: number | null } {
  const signal = status & 0x7f;
  return signal === 0 ? { exitCode: (status >> 8) & 0xff, signal: null } : { exitCode: null, signal };
}
