/**
 * Where the body of one request waits until all of it is there: in memory while it is small, then in a memfd, then in
 * an anonymous file on disk. A slow upload costs a file and not a PHP process.
 *
 * The descriptor's own offset stays at 0, so that whoever receives the descriptor reads the body from its start.
 * A full disk or a lack of descriptors is a value, never an exception. Until `take` the spool owns its descriptor, and
 * `close` frees it; afterwards the taker does.
 */
import { readSync, statfsSync, writeSync } from 'node:fs';
import { errno } from '../os/errno.js';
import { close, memfd, tmpfile } from '../os/socket.js';

export interface SpoolLimits {
  readonly memoryBodyBytes: number;
  readonly memfdBodyBytes: number;
  readonly spoolMinFreeBytes: number;
}

/** A complete body. `buffer` holds exactly `length` bytes; `fd` is a file whose offset is 0. */
export type StoredBody =
  | { readonly kind: 'memory'; readonly buffer: Buffer; readonly length: number }
  | { readonly kind: 'file'; readonly fd: number; readonly length: number };

const EMPTY = Buffer.alloc(0);
const emptyBody: StoredBody = { kind: 'memory', buffer: EMPTY, length: 0 };
/** What is set aside at first for a body that is said to be longer than what has come. */
const FIRST_CAPACITY = 16 * 1024;
const COPY_BYTES = 256 * 1024;
/** A body on disk grows by so much between two looks at the room that is left. */
const LOOK_BYTES = 256 * 1024;

export class BodySpool {
  /** Bytes stored so far. */
  length = 0;

  readonly #limits: SpoolLimits;
  readonly #directory: string;
  readonly #expected: number;
  #memory = EMPTY;
  #fd = -1;
  #onDisk = false;
  /** The length at which to look for room again. */
  #lookAt = 0;

  /**
   * @param directory for bodies above `memfdBodyBytes`; on a file system with O_TMPFILE
   * @param expected the length that the visitor announced, or -1. Only a hint.
   */
  constructor(limits: SpoolLimits, directory: string, expected: number) {
    this.#limits = limits;
    this.#directory = directory;
    this.#expected = expected;
  }

  /** Stores the bytes from `start` to `end`. Returns 0, or the positive errno of what failed. */
  write(chunk: Buffer, start: number, end: number): number {
    const length = this.length + end - start;
    if (this.#fd < 0 && length <= this.#limits.memoryBodyBytes) {
      this.#keep(chunk, start, end);
      return 0;
    }
    const failure =
      this.#prepareFile(length) ||
      this.#findRoom(length) ||
      writeAt(this.#fd, chunk, start, end, this.length);
    if (failure === 0) this.length = length;
    return failure;
  }

  /** The body. The spool is empty afterwards, and a descriptor belongs to the caller. */
  take(): StoredBody {
    if (this.length === 0 && this.#fd < 0) return emptyBody;
    const length = this.length;
    const body: StoredBody =
      this.#fd < 0
        ? { kind: 'memory', buffer: this.#memory.subarray(0, length), length }
        : { kind: 'file', fd: this.#fd, length };
    this.#fd = -1;
    this.close();
    return body;
  }

  /** Throws the body away. May be called at any time, and again. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
    this.#onDisk = false;
    this.#lookAt = 0;
    this.#memory = EMPTY;
    this.length = 0;
  }

  /** Others need the disk too, logs and sites among them: 0, or ENOSPC. */
  #findRoom(length: number): number {
    if (!this.#onDisk || length < this.#lookAt) return 0;
    this.#lookAt = length + LOOK_BYTES;
    return freeBytes(this.#directory) < this.#limits.spoolMinFreeBytes ? errno.ENOSPC : 0;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.#memory.length) {
      const hinted = Math.min(this.#expected, FIRST_CAPACITY);
      const capacity = Math.min(
        Math.max(needed, hinted, this.#memory.length * 2),
        this.#limits.memoryBodyBytes,
      );
      const larger = Buffer.allocUnsafe(capacity);
      this.#memory.copy(larger, 0, 0, this.length);
      this.#memory = larger;
    }
    chunk.copy(this.#memory, this.length, start, end);
    this.length = needed;
  }

  /** Sees to it that the body lies in a file that may grow to `length`: 0 or an errno. */
  #prepareFile(length: number): number {
    const large = Math.max(length, this.#fd < 0 ? this.#expected : 0) > this.#limits.memfdBodyBytes;
    if (this.#fd >= 0 && (this.#onDisk || !large)) return 0;
    const fd = large ? tmpfile(this.#directory) : memfd('guise-body');
    if (fd < 0) return -fd;
    const failure =
      this.#fd < 0 ? writeAt(fd, this.#memory, 0, this.length, 0) : copyFile(this.#fd, fd, this.length);
    if (failure !== 0) {
      close(fd);
      return failure;
    }
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = fd;
    this.#onDisk = large;
    this.#memory = EMPTY;
    return 0;
  }
}

/** What everybody may use, not root's reserve. A file system that does not tell has room. */
function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function copyFile(from: number, to: number, length: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(length, COPY_BYTES));
  for (let at = 0; at < length; ) {
    const wanted = Math.min(buffer.length, length - at);
    let got: number;
    try {
      got = readSync(from, buffer, 0, wanted, at);
    } catch (thrown) {
      return errnoOf(thrown);
    }
    if (got === 0) return errno.EIO;
    const failure = writeAt(to, buffer, 0, got, at);
    if (failure !== 0) return failure;
    at += got;
  }
  return 0;
}

function writeAt(fd: number, bytes: Buffer, start: number, end: number, position: number): number {
  try {
    for (let at = start; at < end; ) {
      const written = writeSync(fd, bytes, at, end - at, position + at - start);
      if (written === 0) return errno.EIO;
      at += written;
    }
    return 0;
  } catch (thrown) {
    return errnoOf(thrown);
  }
}

function errnoOf(thrown: unknown): number {
  const number = (thrown as NodeJS.ErrnoException).errno;
  if (typeof number !== 'number') throw thrown;
  return Math.abs(number);
}
