/**
 * Writes FastCGI records. Every function returns a new Buffer of exactly the bytes to send; nothing here keeps state.
 * Content is split at 65,528 bytes, the largest multiple of 8 that a record can hold, and a last record is padded
 * to a multiple of 8, as the specification recommends (section 3.3).
 *
 * A caller that passes a number out of range has a bug: RangeError.
 */
import {
  HEADER_LENGTH,
  ProtocolStatus,
  type ProtocolStatusCode,
  RecordType,
  VERSION_1,
} from './constants.js';

/** The most content that is put in one record. */
export const CHUNK = 65_528;

const END_LENGTH = HEADER_LENGTH + 8;
const EMPTY = Buffer.alloc(0);

/**
 * Writes the 8 bytes of a record header and returns the offset behind them.
 * @param type 1 to 255
 * @param contentLength 0 to 65,535 bytes
 * @param paddingLength 0 to 255 bytes
 */
export function writeHeader(
  target: Buffer,
  offset: number,
  type: number,
  requestId: number,
  contentLength: number,
  paddingLength = 0,
): number {
  target.writeUInt8(VERSION_1, offset);
  target.writeUInt8(type, offset + 1);
  target.writeUInt16BE(requestId, offset + 2);
  target.writeUInt16BE(contentLength, offset + 4);
  target.writeUInt8(paddingLength, offset + 6);
  target.writeUInt8(0, offset + 7);
  return offset + HEADER_LENGTH;
}

/** One record, padded to a multiple of 8. `content` holds at most 65,535 bytes. */
export function encodeRecord(type: number, requestId: number, content: Uint8Array = EMPTY): Buffer {
  const padding = paddingOf(content.length);
  const record = Buffer.allocUnsafe(HEADER_LENGTH + content.length + padding);
  writeRecord(record, 0, type, requestId, content);
  return record;
}

/**
 * The records of a stream (STDOUT, STDERR, STDIN, PARAMS) without the empty one that ends it: no content, no record.
 */
export function encodeStream(type: number, requestId: number, content: Uint8Array): Buffer {
  const records = Buffer.allocUnsafe(streamLength(content.length));
  writeStream(records, 0, type, requestId, content);
  return records;
}

/** The empty record that ends a stream. */
export function encodeStreamEnd(type: number, requestId: number): Buffer {
  return encodeRecord(type, requestId);
}

/** END_REQUEST (section 5.5). */
export function encodeEndRequest(
  requestId: number,
  appStatus = 0,
  protocolStatus: ProtocolStatusCode = ProtocolStatus.REQUEST_COMPLETE,
): Buffer {
  const record = Buffer.allocUnsafe(END_LENGTH);
  writeEndRequest(record, 0, requestId, appStatus, protocolStatus);
  return record;
}

/**
 * A complete answer in one Buffer: STDOUT records, the end of STDOUT, END_REQUEST.
 * @param content a CGI answer: header lines, an empty line, the page (RFC 3875, section 6)
 */
export function encodeAnswer(
  requestId: number,
  content: Uint8Array,
  protocolStatus: ProtocolStatusCode = ProtocolStatus.REQUEST_COMPLETE,
): Buffer {
  const answer = Buffer.allocUnsafe(streamLength(content.length) + HEADER_LENGTH + END_LENGTH);
  let at = writeStream(answer, 0, RecordType.STDOUT, requestId, content);
  at = writeHeader(answer, at, RecordType.STDOUT, requestId, 0);
  writeEndRequest(answer, at, requestId, 0, protocolStatus);
  return answer;
}

/** UNKNOWN_TYPE: the answer to a record whose type is not known here (section 4.2). */
export function encodeUnknownType(type: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeUInt8(type, 0);
  return encodeRecord(RecordType.UNKNOWN_TYPE, 0, content);
}

/** GET_VALUES_RESULT (section 4.1). */
export function encodeValuesResult(pairs: Iterable<readonly [string, string]>): Buffer {
  return encodeRecord(RecordType.GET_VALUES_RESULT, 0, encodePairs(pairs));
}

/** GET_VALUES: the names with empty values (section 4.1). */
export function encodeGetValues(names: Iterable<string>): Buffer {
  return encodeRecord(
    RecordType.GET_VALUES,
    0,
    encodePairs(Array.from(names, (name) => [name, ''] as const)),
  );
}

/** BEGIN_REQUEST (section 5.1). `flags`: 0 or KEEP_CONN. */
export function encodeBeginRequest(requestId: number, role: number, flags = 0): Buffer {
  const content = Buffer.alloc(8);
  content.writeUInt16BE(role, 0);
  content.writeUInt8(flags, 2);
  return encodeRecord(RecordType.BEGIN_REQUEST, requestId, content);
}

/** PARAMS with their end. Pairs may cross from one record to the next, as the specification allows. */
export function encodeParams(requestId: number, pairs: Iterable<readonly [string, string]>): Buffer {
  return withEnd(RecordType.PARAMS, requestId, encodePairs(pairs));
}

/** STDIN with its end. */
export function encodeStdin(requestId: number, content: Uint8Array = EMPTY): Buffer {
  return withEnd(RecordType.STDIN, requestId, content);
}

/** Name-value pairs (section 3.4). Text is written as UTF-8. */
export function encodePairs(pairs: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of pairs) {
    const nameBytes = Buffer.from(name);
    const valueBytes = Buffer.from(value);
    parts.push(encodeLength(nameBytes.length), encodeLength(valueBytes.length), nameBytes, valueBytes);
  }
  return Buffer.concat(parts);
}

/** The length of a name or a value: one byte up to 127, else four with the highest bit set (section 3.4). */
export function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length > 0x7fff_ffff) throw new RangeError(`A FastCGI length cannot be ${length}`);
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE((length | 0x8000_0000) >>> 0, 0);
  return bytes;
}

function paddingOf(length: number): number {
  return -length & 7;
}

function streamLength(contentLength: number): number {
  const records = Math.ceil(contentLength / CHUNK);
  return contentLength + paddingOf(contentLength) + records * HEADER_LENGTH;
}

function writeStream(
  target: Buffer,
  offset: number,
  type: number,
  requestId: number,
  content: Uint8Array,
): number {
  let at = offset;
  for (let from = 0; from < content.length; from += CHUNK) {
    at = writeRecord(target, at, type, requestId, content.subarray(from, from + CHUNK));
  }
  return at;
}

function writeRecord(
  target: Buffer,
  offset: number,
  type: number,
  requestId: number,
  content: Uint8Array,
): number {
  const padding = paddingOf(content.length);
  let at = writeHeader(target, offset, type, requestId, content.length, padding);
  target.set(content, at);
  at += content.length;
  target.fill(0, at, at + padding);
  return at + padding;
}

function writeEndRequest(
  target: Buffer,
  offset: number,
  requestId: number,
  appStatus: number,
  protocolStatus: number,
): void {
  const at = writeHeader(target, offset, RecordType.END_REQUEST, requestId, 8);
  target.writeUInt32BE(appStatus, at);
  target.writeUInt32BE(0, at + 4);
  target.writeUInt8(protocolStatus, at + 4);
}

function withEnd(type: number, requestId: number, content: Uint8Array): Buffer {
  const records = Buffer.alloc(streamLength(content.length) + HEADER_LENGTH);
  const at = writeStream(records, 0, type, requestId, content);
  writeHeader(records, at, type, requestId, 0);
  return records;
}
