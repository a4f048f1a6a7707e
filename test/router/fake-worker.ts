/** A worker's process as the router sees it: the other end of its job channel. */

import { slateBytes } from '../../src/control/slate.js';
import { jobHeaderBytes, jobMaxBytes, noteBytes, noteStarted } from '../../src/control/worker-messages.js';
import { errno } from '../../src/os/errno.js';
import { close, receiveMessage, send } from '../../src/os/socket.js';

export interface Job {
  readonly sequence: number;
  readonly requestId: number;
  readonly flags: number;
  readonly params: Buffer;
  /** Empty when it came as a file. */
  readonly body: Buffer;
  readonly bodyLength: number;
  /** To be closed by whoever takes the job. */
  readonly connection: number;
  readonly bodyFile: number;
}

export interface NoteFields {
  readonly type: number;
  readonly sequence: number;
  readonly flags?: number;
  readonly status?: number;
  readonly bytesOut?: number;
  readonly found?: number;
}

export function noteOf(fields: NoteFields): Buffer {
  const note = Buffer.alloc(noteBytes);
  note.writeUInt32LE(fields.type, 0);
  note.writeUInt32LE(fields.sequence, 4);
  note.writeUInt32LE(fields.flags ?? 0, 8);
  note.writeUInt32LE(fields.status ?? 200, 12);
  note.writeBigUInt64LE(BigInt(fields.bytesOut ?? 0), 16);
  note.writeUInt32LE(fields.found ?? 0, 48);
  return note;
}

/** What a worker writes on its slate: `over` and the note, or that an answer has begun. */
export function writeSlate(memory: ArrayBuffer, slot: number, fields: NoteFields): void {
  const slate = Buffer.from(memory, slot * slateBytes, slateBytes);
  if (fields.type === noteStarted) slate.writeUInt32LE(fields.sequence, 64);
  else {
    noteOf(fields).copy(slate);
    slate.writeUInt32LE(fields.sequence, 68);
  }
}

/** The job about whose end the router wants a message. */
export function wantedOn(memory: ArrayBuffer, slot: number): number {
  return Buffer.from(memory, slot * slateBytes, slateBytes).readUInt32LE(128);
}

/** The process's end of a worker's job channel. */
export class FakeWorker {
  readonly id: number;
  readonly fd: number;
  readonly #buffer = Buffer.alloc(jobMaxBytes);
  readonly #info = new Int32Array(9);
  #isOpen = true;

  constructor(id: number, fd: number) {
    this.id = id;
    this.fd = fd;
  }

  /** The job that waits in its channel, if one does. */
  take(): Job | undefined {
    const length = receiveMessage(this.fd, this.#buffer, this.#info);
    if (length <= 0) return undefined;
    const bytes = Buffer.from(this.#buffer.subarray(0, length));
    const paramsEnd = jobHeaderBytes + bytes.readUInt32LE(12);
    return {
      sequence: bytes.readUInt32LE(4),
      requestId: bytes.readUInt16LE(8),
      flags: bytes.readUInt16LE(10),
      params: bytes.subarray(jobHeaderBytes, paramsEnd),
      body: bytes.subarray(paramsEnd),
      bodyLength: Number(bytes.readBigUInt64LE(16)),
      connection: this.#info[1] ?? -1,
      bodyFile: this.#info[2] ?? -1,
    };
  }

  /** The same, where one must wait. */
  job(): Job {
    const job = this.take();
    if (job === undefined) throw new Error(`worker ${this.id} has no job`);
    return job;
  }

  /** Whether the router has closed its end. */
  get isLetGo(): boolean {
    const length = receiveMessage(this.fd, this.#buffer, this.#info);
    return length === 0 || length === -errno.ECONNRESET;
  }

  say(bytes: Buffer): number {
    return send(this.fd, bytes, 0, bytes.length);
  }

  note(fields: NoteFields): void {
    this.say(noteOf(fields));
  }

  die(): void {
    if (this.#isOpen) close(this.fd);
    this.#isOpen = false;
  }
}
