/**
 * Cuts a byte stream into FastCGI records, whatever the pieces in which it arrives. It is pulled, one step at a time,
 * so that the caller can stop behind any record and leave the rest of the bytes where they are.
 *
 * Content is not copied and not looked at: a step names the slice of the caller's buffer. Only a header that is cut
 * by the end of a chunk is kept (8 bytes). A version other than 1 is not FastCGI: 'broken', and for good.
 */
import { HEADER_LENGTH, VERSION_1 } from './constants.js';

/**
 * - 'record': a header is complete, see `type`, `requestId`, `contentLength`
 * - 'content': some of the record's content lies in the chunk from `contentStart` to `contentEnd`
 * - 'end': the record is over, with its padding
 * - 'more': the chunk is used up
 * - 'broken': the version is not 1
 */
export type DecodeStep = 'record' | 'content' | 'end' | 'more' | 'broken';

export class RecordDecoder {
  type = 0;
  requestId = 0;
  contentLength = 0;
  /** Offset in the last chunk of the first byte that no step has used. */
  position = 0;
  contentStart = 0;
  contentEnd = 0;

  readonly #header = new Uint8Array(HEADER_LENGTH);
  #headerFilled = 0;
  /** Bytes of content and of padding that are still to come, or -1 between two records. */
  #content = -1;
  #padding = -1;
  #broken = false;

  /** Neither a header nor a record has been begun. */
  get atBoundary(): boolean {
    return this.#headerFilled === 0 && this.#content < 0;
  }

  /** Bytes of the record's content that no step has named yet. */
  get remaining(): number {
    return Math.max(this.#content, 0);
  }

  /**
   * Takes the next step. The caller repeats it with `start` at `position` until 'more'.
   * @param end exclusive
   */
  next(chunk: Uint8Array, start: number, end: number): DecodeStep {
    this.position = start;
    if (this.#broken) return 'broken';
    if (this.#content < 0) return this.#readHeader(chunk, start, end);
    if (this.#content > 0) return this.#readContent(start, end);
    const padding = Math.min(this.#padding, end - start);
    this.#padding -= padding;
    this.position = start + padding;
    if (this.#padding > 0) return 'more';
    this.#content = -1;
    return 'end';
  }

  #readContent(start: number, end: number): DecodeStep {
    if (start >= end) return 'more';
    const length = Math.min(this.#content, end - start);
    this.#content -= length;
    this.contentStart = start;
    this.contentEnd = start + length;
    this.position = start + length;
    return 'content';
  }

  #readHeader(chunk: Uint8Array, start: number, end: number): DecodeStep {
    if (start >= end) return 'more';
    if (this.#headerFilled === 0 && end - start >= HEADER_LENGTH) {
      this.position = start + HEADER_LENGTH;
      return this.#open(chunk, start);
    }
    const header = this.#header;
    let at = start;
    while (at < end && this.#headerFilled < HEADER_LENGTH)
      header[this.#headerFilled++] = chunk[at++] as number;
    this.position = at;
    // Whoever speaks another protocol is told so at the first byte.
    if (header[0] !== VERSION_1) return this.#open(header, 0);
    if (this.#headerFilled < HEADER_LENGTH) return 'more';
    this.#headerFilled = 0;
    return this.#open(header, 0);
  }

  #open(bytes: Uint8Array, at: number): DecodeStep {
    if (bytes[at] !== VERSION_1) {
      this.#broken = true;
      return 'broken';
    }
    this.type = bytes[at + 1] as number;
    this.requestId = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    this.contentLength = ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number);
    this.#content = this.contentLength;
    this.#padding = bytes[at + 6] as number;
    return 'record';
  }
}
