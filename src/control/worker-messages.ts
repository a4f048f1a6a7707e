/**
 * The job channel between the router and one worker: layouts as in native/preload/protocol.h, which a test
 * compares with these. What a worker says is gossip about its own job and is read with fixed sizes.
 */

export const jobHeaderBytes = 24;
/** Header, parameters and inline body of one job together, at most. */
export const jobMaxBytes = 256 * 1024;
const jobMagic = 0x424f4a47;

export const jobKeep = 1;
export const jobBodyFile = 2;
export const jobOwesEnd = 4;

export interface JobHeader {
  /** The router's number for this job; the worker's notes repeat it. */
  readonly sequence: number;
  readonly requestId: number;
  /** jobKeep, jobBodyFile, jobOwesEnd, combined. */
  readonly flags: number;
  readonly paramsLength: number;
  readonly bodyLength: number;
}

/** Writes a header to the beginning of `out`. */
export function writeJobHeader(out: Buffer, job: JobHeader): void {
  out.writeUInt32LE(jobMagic, 0);
  out.writeUInt32LE(job.sequence, 4);
  out.writeUInt16LE(job.requestId, 8);
  out.writeUInt16LE(job.flags, 10);
  out.writeUInt32LE(job.paramsLength, 12);
  out.writeUInt32LE(job.bodyLength >>> 0, 16);
  out.writeUInt32LE(Math.floor(job.bodyLength / 0x1_0000_0000), 20);
}

export const noteBytes = 64;
export const noteStarted = 1;
export const noteDone = 2;
export const noteRefused = 3;
export const noteComplete = 1;
export const notePeerGone = 2;
export const noteLast = 4;

export interface Note {
  readonly type: number;
  readonly sequence: number;
  readonly flags: number;
  /** HTTP status; for noteRefused the reason's number (script-reasons.ts). */
  readonly status: number;
  readonly bytesOut: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssKb: number;
  /** For noteRefused: a uid, a gid, a mode or an errno, as the reason says. */
  readonly found: number;
  /** When it was over, by its own word: CLOCK_MONOTONIC in microseconds. */
  readonly endedUs: number;
}

/** Reads a note of `length` bytes from the beginning of `buffer`; undefined when it is none. */
export function readNote(buffer: Buffer, length: number): Note | undefined {
  if (length !== noteBytes) return undefined;
  const type = buffer.readUInt32LE(0);
  if (type < noteStarted || type > noteRefused) return undefined;
  return {
    type,
    sequence: buffer.readUInt32LE(4),
    flags: buffer.readUInt32LE(8),
    status: buffer.readUInt32LE(12),
    bytesOut: readCount(buffer, 16),
    userUs: readCount(buffer, 24),
    systemUs: readCount(buffer, 32),
    maxRssKb: readCount(buffer, 40),
    found: buffer.readUInt32LE(48),
    endedUs: readCount(buffer, 56),
  };
}

function readCount(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 0x1_0000_0000;
}
