/**
 * The logbook of a worker of the direct lane, as the router reads it: layout as `struct logbook` in
 * native/preload/logbook.h, which a test compares with this. The memory is the site's: anything may stand there, and
 * change at any moment. So everything is copied before it is looked at, lengths are checked against the copy, sums
 * count only by what they have grown, and by no more than is plausible.
 */

import { counterSlotBytes } from './direct-counters.js';

export const logbookBytes = 64 * 1024;
const ringAt = 4096;
const ringBytes = logbookBytes - ringAt;
const presentAt = 256;
export const entryHeaderBytes = 96;
const entryMaxBytes = ringAt - presentAt;
const writtenAt = 64;
const begunAt = 72;
const overAt = 76;
const takenAt = 128;
const countedAt = 136;

/** The sums in their order. */
export const logbookSums = [
  'requests',
  'refused',
  'bytesIn',
  'bytesOut',
  'cpuUs',
  'runUs',
  'maxRssKb',
  'leftOut',
] as const;
export type LogbookSums = Record<(typeof logbookSums)[number], number>;

/** More than there can be between two looks. */
const mostAtOnce: Readonly<LogbookSums> = {
  requests: 1e6,
  refused: 1e6,
  bytesIn: 2 ** 40,
  bytesOut: 2 ** 40,
  cpuUs: 2 ** 40,
  runUs: 2 ** 40,
  maxRssKb: 2 ** 40,
  leftOut: 1e6,
};

/** A request, by the worker's word. */
export interface LogbookEntry {
  readonly sequence: number;
  /** Twelve hexadecimal digits. */
  readonly id: string;
  /** CLOCK_MONOTONIC in microseconds. */
  readonly startedUs: number;
  readonly endedUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssKb: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly status: number;
  /** 0: PHP has answered. */
  readonly reason: number;
  readonly remoteAddr: string;
  readonly method: string;
  readonly serverName: string;
  readonly uri: string;
  readonly scriptFilename: string;
}

/** Where the logbooks lie in the memory that workers share, behind their counters. */
function logbooksAt(slots: number): number {
  return Math.ceil((slots * counterSlotBytes) / 4096) * 4096;
}

/** Of the memory for so many workers: counters, then logbooks. */
export function directMemoryBytes(slots: number): number {
  return logbooksAt(slots) + slots * logbookBytes;
}

export class Logbook {
  readonly #all: Buffer;
  readonly #longs: BigUint64Array;
  readonly #words: Int32Array;
  readonly #copy = Buffer.alloc(entryMaxBytes);
  /** What has been counted: a worker that changes the copy in its memory changes nothing for this router. */
  readonly #counted: BigUint64Array;
  #taken: bigint;

  /** @param memory that of all workers of the site, with room for `slots` */
  constructor(memory: ArrayBuffer, slots: number, slot: number) {
    const at = logbooksAt(slots) + slot * logbookBytes;
    this.#all = Buffer.from(memory, at, logbookBytes);
    this.#longs = new BigUint64Array(memory, at, logbookBytes / 8);
    this.#words = new Int32Array(memory, at, logbookBytes / 4);
    this.#counted = this.#longs.slice(countedAt / 8, countedAt / 8 + logbookSums.length);
    this.#taken = this.#long(takenAt);
  }

  /** What the sums have grown by since they were last asked for; undefined: nothing. */
  grown(): LogbookSums | undefined {
    const growth: LogbookSums = { ...noGrowth };
    let hasGrown = false;
    for (const [i, name] of logbookSums.entries()) {
      const now = this.#long(8 * i);
      const more = now - (this.#counted[i] ?? 0n);
      if (more === 0n) continue;
      this.#counted[i] = now;
      Atomics.store(this.#longs, countedAt / 8 + i, now);
      if (more < 0n) continue;
      growth[name] = Math.min(Number(name === 'maxRssKb' ? now : more), mostAtOnce[name]);
      hasGrown = true;
    }
    return hasGrown ? growth : undefined;
  }

  /** At most `most` entries that have ended, the oldest first. What follows one that is none is thrown away. */
  take(most: number): LogbookEntry[] {
    const written = this.#long(writtenAt);
    const entries: LogbookEntry[] = [];
    while (this.#taken !== written && entries.length < most) {
      const entry = this.#next(Number(BigInt.asUintN(64, written - this.#taken)));
      if (entry === undefined) {
        this.#taken = written;
        break;
      }
      entries.push(entry);
    }
    Atomics.store(this.#longs, takenAt / 8, this.#taken);
    return entries;
  }

  /** The request that runs at present. */
  present(): LogbookEntry | undefined {
    const begun = this.#word(begunAt);
    if (begun === this.#word(overAt)) return undefined;
    const length = this.#all.readUInt32LE(presentAt);
    if (!isLength(length, entryMaxBytes)) return undefined;
    this.#all.copy(this.#copy, 0, presentAt, presentAt + length);
    const entry = readEntry(this.#copy, length);
    // It may have ended meanwhile, and what was copied be half the next one's.
    return entry?.sequence === begun && this.#word(begunAt) === begun ? entry : undefined;
  }

  /** Its worker is dead: what it has not ended nobody will. */
  settle(): void {
    Atomics.store(this.#words, overAt / 4, this.#word(begunAt) | 0);
  }

  #next(waiting: number): LogbookEntry | undefined {
    if (waiting < entryHeaderBytes || waiting > ringBytes) return undefined;
    const at = Number(this.#taken % BigInt(ringBytes));
    this.#copyRing(at, 4);
    const length = this.#copy.readUInt32LE(0);
    if (!isLength(length, Math.min(waiting, entryMaxBytes))) return undefined;
    this.#copyRing(at, length);
    this.#taken = BigInt.asUintN(64, this.#taken + BigInt(length));
    return readEntry(this.#copy, length);
  }

  /** Around the end too: an honest worker goes on wherever one before it has left `written`. */
  #copyRing(at: number, length: number): void {
    const first = Math.min(length, ringBytes - at);
    this.#all.copy(this.#copy, 0, ringAt + at, ringAt + at + first);
    this.#all.copy(this.#copy, first, ringAt, ringAt + length - first);
  }

  #long(at: number): bigint {
    return Atomics.load(this.#longs, at / 8);
  }

  #word(at: number): number {
    return Atomics.load(this.#words, at / 4) >>> 0;
  }
}

const noGrowth: Readonly<LogbookSums> = {
  requests: 0,
  refused: 0,
  bytesIn: 0,
  bytesOut: 0,
  cpuUs: 0,
  runUs: 0,
  maxRssKb: 0,
  leftOut: 0,
};

function isLength(length: number, most: number): boolean {
  return length >= entryHeaderBytes && length <= most && length % 8 === 0;
}

/** Reads an entry of `length` bytes from a copy that nobody else can change; undefined when it is none. */
function readEntry(copy: Buffer, length: number): LogbookEntry | undefined {
  const long = (at: number): number => copy.readUInt32LE(at) + copy.readUInt32LE(at + 4) * 2 ** 32;
  const texts: string[] = [];
  let end = entryHeaderBytes;
  for (let i = 0; i < 5; i++) {
    const start = end;
    end += copy.readUInt16LE(80 + 2 * i);
    if (end > length) return undefined;
    texts.push(copy.toString('utf8', start, end));
  }
  const [remoteAddr = '', method = '', serverName = '', uri = '', scriptFilename = ''] = texts;
  return {
    sequence: copy.readUInt32LE(4),
    id: copy.readUIntLE(8, 6).toString(16).padStart(12, '0'),
    startedUs: long(16),
    endedUs: long(24),
    userUs: long(32),
    systemUs: long(40),
    maxRssKb: long(48),
    bytesIn: long(56),
    bytesOut: long(64),
    status: copy.readUInt32LE(72),
    reason: copy.readUInt32LE(76),
    remoteAddr,
    method,
    serverName,
    uri,
    scriptFilename,
  };
}
