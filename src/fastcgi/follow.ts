/**
 * Watches what a worker writes on a connection that is not its own. The worker is the site's code and may be hostile;
 * the connection may be kept and then carries other sites' requests. So nothing passes but well-formed STDOUT, STDERR
 * and END_REQUEST records of this one request, and nothing after its END_REQUEST.
 *
 * Every header byte is judged as it arrives, before it may go on, so a chunk can be cut anywhere and nothing is held
 * back. What is refused beyond plain framing, and why:
 * - STDOUT after an empty STDOUT. Apache takes the empty record for the end of the page and would read on in a
 *   transfer that is over. One empty STDOUT in front of END_REQUEST is what the specification asks for, and passes.
 *   STDERR is treated alike.
 * - END_REQUEST with a protocol status other than REQUEST_COMPLETE: OVERLOADED is an empty page with status 200 to
 *   Apache, and CANT_MPX_CONN can change how a client uses a connection that is not this site's.
 * - every management record (id 0), for the same reason.
 */
import { HEADER_LENGTH, ProtocolStatus, RecordType, VERSION_1 } from './constants.js';

export type AnswerState = 'open' | 'ended' | 'broken';

export interface Followed {
  /** How many bytes of the chunk, from its start, may be sent to the web server. */
  readonly forward: number;
  /**
   * - 'open': more is to come
   * - 'ended': END_REQUEST is complete within the forwarded bytes; what follows it is the worker's mischief
   * - 'broken': the answer cannot be continued; the connection must be closed once something was forwarded
   */
  readonly state: AnswerState;
}

const END_LENGTH = 8;
/** Where in the content of END_REQUEST the protocol status lies. */
const STATUS_OFFSET = 4;

export class AnswerFollower {
  state: AnswerState = 'open';
  /** Bytes that were let through, framing included. 0: the router can still answer in the worker's place. */
  forwarded = 0;
  /** Bytes of content that were let through. */
  stdoutBytes = 0;
  stderrBytes = 0;

  readonly #requestId: number;
  #headerAt = 0;
  /** Bytes of the present record that were let through. */
  #recordBytes = 0;
  #type = 0;
  #length = 0;
  #content = 0;
  #padding = 0;
  #stdoutEnded = false;
  #stderrEnded = false;

  constructor(requestId: number) {
    this.#requestId = requestId;
  }

  /**
   * How many of the last bytes that were let through are not, or perhaps not, output: the first byte of a record, or
   * END_REQUEST from its beginning. Whoever must not say too early that the answer is over holds these back.
   */
  get unsettled(): number {
    if (this.state === 'ended') return this.#recordBytes;
    const isOutput = this.#headerAt > 1 && this.#type !== RecordType.END_REQUEST;
    return this.#headerAt === 0 || isOutput ? 0 : this.#recordBytes;
  }

  /** Looks at the next bytes of the worker's answer. `end` is exclusive. */
  push(chunk: Uint8Array, start: number, end: number): Followed {
    let at = start;
    while (this.state === 'open' && at < end) {
      if (this.#headerAt === 0) this.#recordBytes = 0;
      const next = this.#advance(chunk, at, end);
      this.#recordBytes += next - at;
      at = next;
    }
    this.forwarded += at - start;
    return { forward: at - start, state: this.state };
  }

  #advance(chunk: Uint8Array, at: number, end: number): number {
    if (this.#headerAt < HEADER_LENGTH) return this.#header(chunk[at] as number, at);
    if (this.#content > 0) return this.#take(chunk, at, Math.min(this.#content, end - at));
    const padding = Math.min(this.#padding, end - at);
    this.#padding -= padding;
    this.#closeRecord();
    return at + padding;
  }

  #header(byte: number, at: number): number {
    if (!this.#accepts(this.#headerAt, byte)) {
      this.state = 'broken';
      return at;
    }
    this.#headerAt += 1;
    if (this.#headerAt === HEADER_LENGTH) {
      this.#content = this.#length;
      if (this.#length === 0) this.#endStream();
      this.#closeRecord();
    }
    return at + 1;
  }

  /** Judges one byte of a header by its place in it (section 3.3). */
  #accepts(place: number, byte: number): boolean {
    switch (place) {
      case 0:
        return byte === VERSION_1;
      case 1:
        this.#type = byte;
        if (byte === RecordType.STDOUT) return !this.#stdoutEnded;
        if (byte === RecordType.STDERR) return !this.#stderrEnded;
        return byte === RecordType.END_REQUEST;
      case 2:
        return byte === this.#requestId >> 8;
      case 3:
        return byte === (this.#requestId & 0xff);
      case 4:
        this.#length = byte << 8;
        return this.#type !== RecordType.END_REQUEST || byte === 0;
      case 5:
        this.#length |= byte;
        return this.#type !== RecordType.END_REQUEST || byte === END_LENGTH;
      case 6:
        this.#padding = byte;
        return true;
      default:
        return true;
    }
  }

  #take(chunk: Uint8Array, at: number, length: number): number {
    if (this.#type === RecordType.STDOUT) this.stdoutBytes += length;
    else if (this.#type === RecordType.STDERR) this.stderrBytes += length;
    else {
      // `seen` bytes of END_REQUEST have passed: is the status among those that are about to?
      const seen = END_LENGTH - this.#content;
      const status = at + STATUS_OFFSET - seen;
      if (status >= at && status < at + length && chunk[status] !== ProtocolStatus.REQUEST_COMPLETE) {
        this.state = 'broken';
        return status;
      }
    }
    this.#content -= length;
    this.#closeRecord();
    return at + length;
  }

  #endStream(): void {
    if (this.#type === RecordType.STDOUT) this.#stdoutEnded = true;
    else this.#stderrEnded = true;
  }

  #closeRecord(): void {
    if (this.#content > 0 || this.#padding > 0) return;
    if (this.#type === RecordType.END_REQUEST) this.state = 'ended';
    this.#headerAt = 0;
  }
}
