/** The worker's side of a logbook: writes as native/preload/logbook.c does, or anything else. */

import { directMemoryBytes, entryHeaderBytes, logbookBytes, logbookSums } from '../../src/control/logbook.js';

const ringAt = 4096;
const ringBytes = logbookBytes - ringAt;

export interface FakeEntry {
  readonly uri?: string;
  readonly status?: number;
  readonly reason?: number;
  readonly id?: number;
  readonly startedUs?: number;
  readonly endedUs?: number;
  readonly bytesIn?: number;
}

/** CLOCK_MONOTONIC. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

export class FakeLogbook {
  readonly memory: ArrayBuffer;
  readonly bytes: Buffer;
  sequence = 0;

  constructor(slots: number, slot = 0, memory = new ArrayBuffer(directMemoryBytes(slots))) {
    this.memory = memory;
    const at = memory.byteLength - (slots - slot) * logbookBytes;
    this.bytes = Buffer.from(memory, at, logbookBytes);
  }

  /** A request has begun. */
  begin(entry: FakeEntry = {}): void {
    this.sequence++;
    encode(this.sequence, entry).copy(this.bytes, 256);
    this.bytes.writeUInt32LE(this.sequence, 72);
  }

  /** The one that has begun is over. */
  end(entry: FakeEntry = {}): void {
    const { reason = 0, startedUs = nowUs(), endedUs = nowUs(), bytesIn = 100 } = entry;
    this.sum('requests', 1);
    if (reason > 0) this.sum('refused', 1);
    this.sum('bytesIn', bytesIn);
    this.sum('runUs', endedUs - startedUs);
    this.put(encode(this.sequence, entry));
    this.bytes.writeUInt32LE(this.sequence, 76);
  }

  serve(entry: FakeEntry = {}): void {
    this.begin(entry);
    this.end(entry);
  }

  sum(name: (typeof logbookSums)[number], more: number): void {
    const at = 8 * logbookSums.indexOf(name);
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, this.bytes.readBigUInt64LE(at) + BigInt(more)), at);
  }

  /** Into the ring, whatever it is; left out where there is no room. */
  put(entry: Buffer): void {
    const written = this.bytes.readBigUInt64LE(64);
    if (written - this.bytes.readBigUInt64LE(128) + BigInt(entry.length) > BigInt(ringBytes)) {
      this.sum('leftOut', 1);
      return;
    }
    const at = Number(written % BigInt(ringBytes));
    for (const [i, byte] of entry.entries()) this.bytes[ringAt + ((at + i) % ringBytes)] = byte;
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, written + BigInt(entry.length)), 64);
  }
}

export function encode(sequence: number, entry: FakeEntry): Buffer {
  const { uri = '/', status = 200, reason = 0, id = sequence, bytesIn = 100 } = entry;
  const { startedUs = nowUs(), endedUs = nowUs() } = entry;
  const texts = ['127.0.0.1', 'GET', 'a.test', uri, '/srv/a.php'].map((text) => Buffer.from(text));
  const length = Math.ceil((entryHeaderBytes + Buffer.concat(texts).length) / 8) * 8;
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(sequence, 4);
  bytes.writeUIntLE(id, 8, 6);
  bytes.writeBigUInt64LE(BigInt(startedUs), 16);
  bytes.writeBigUInt64LE(BigInt(endedUs), 24);
  bytes.writeBigUInt64LE(BigInt(bytesIn), 56);
  bytes.writeUInt32LE(status, 72);
  bytes.writeUInt32LE(reason, 76);
  for (const [i, text] of texts.entries()) bytes.writeUInt16LE(text.length, 80 + 2 * i);
  Buffer.concat(texts).copy(bytes, entryHeaderBytes);
  return bytes;
}
