/**
 * Reads one request after another from one connection: BEGIN_REQUEST, PARAMS, STDIN, and the records around them. It
 * owns the state of the connection's incoming side, and the body until it is complete. It does no input or output but
 * the body's spool, and knows no time: `phase` tells the router which of its clocks to run.
 *
 * One request at a time. A second id that is begun meanwhile gets a page with status 503 and CANT_MPX_CONN, and its
 * further records are ignored like those of any unknown id. After the end of STDIN, more of it is ignored; more
 * PARAMS after their end break the connection, as does everything that only an application may send.
 *
 * A fault of the peer is a result ('refuse' or 'broken'), never an exception.
 */
import { HEADER_LENGTH, Role } from '../fastcgi/constants.js';
import { RecordDecoder } from '../fastcgi/records.js';
import { Intake } from './intake.js';
import type { ReadLimits } from './limits.js';
import { Management } from './management.js';
import { judge, type Phase, phaseOf, type State, type Use, whenDraining } from './order.js';
import { Patience } from './patience.js';
import { refusal, spoolReason } from './refusal.js';
import type { Breach, IncomingRequest, ReadResult, RefusalReason } from './result.js';

export interface ReaderSettings {
  readonly limits: ReadLimits;
  /** For bodies that are too large for memory. */
  readonly spoolDirectory: string;
  /** The answer to FCGI_MAX_CONNS. */
  readonly maxConnections: number;
}

const MORE: ReadResult = { kind: 'more' };
const DRAINED: ReadResult = { kind: 'drained' };

export class RequestReader {
  /** Offset in the last chunk of the first byte that was not used. */
  position = 0;

  readonly #decoder = new RecordDecoder();
  readonly #patience: Patience;
  readonly #management: Management;
  readonly #intake: Intake;
  #state: State = 'idle';
  #use: Use = 'nothing';
  #broken: ReadResult | undefined = undefined;

  constructor(settings: ReaderSettings) {
    this.#patience = new Patience(settings.limits);
    this.#management = new Management(settings.limits.maxReplies, settings.maxConnections);
    this.#intake = new Intake(settings.limits, settings.spoolDirectory);
  }

  get phase(): Phase {
    return phaseOf(this.#state, this.#decoder.atBoundary);
  }

  /** The request that is being read; 0 before BEGIN_REQUEST. */
  get requestId(): number {
    return this.#intake.requestId;
  }

  /** Whether the web server asks for the connection to stay open after this request. */
  get keep(): boolean {
    return this.#intake.begin.keep;
  }

  /**
   * Bytes of body that are accepted. The router sets it for the request's site when it gets the 'head'; the next push
   * then refuses a body whose announced length is greater.
   */
  set bodyLimit(bytes: number) {
    this.#intake.body.limit = bytes;
  }

  /**
   * The request, if all of it is known before the web server has said that its body ends: no body can follow, and the
   * connection is for this request alone. That end is then owed, and is read by whoever answers, after the answer:
   * a web server that finds the connection closed when it writes takes the request for failed. `discard` reads it here.
   */
  completeEarly(): IncomingRequest | undefined {
    if (this.#state !== 'body' || this.keep || !this.#decoder.atBoundary) return undefined;
    return this.#intake.finishEarly();
  }

  /**
   * Reads on. After 'head' and 'refuse' it must be called again for the rest of the chunk, even an empty one.
   * @param chunk may be used again afterwards. The part of it that has been read may hold something else then.
   * @param end exclusive
   */
  push(chunk: Buffer, start: number, end: number): ReadResult {
    this.position = start;
    let result = this.#before();
    while (result === undefined) {
      const step = this.#decoder.next(chunk, this.position, end);
      this.position = this.#decoder.position;
      if (step === 'record') result = this.#onRecord(this.#decoder.type, this.#decoder.contentLength);
      else if (step === 'content') result = this.#onContent(chunk, this.#decoder.contentStart, this.position);
      else if (step === 'end') result = this.#onEnd(chunk, this.#decoder.contentLength);
      else result = step === 'more' ? MORE : this.#break('version');
    }
    return this.#store(chunk) ?? result;
  }

  /** Replies that are due at once, between two records of any answer: values, unknown types, second requests. */
  takeReplies(): Buffer | undefined {
    return this.#management.take();
  }

  /** The router refuses the request itself, or its time is up: the rest of it is thrown away until 'drained'. */
  discard(): void {
    if (this.#state === 'begin' || this.#state === 'params' || this.#state === 'body') this.#drain();
  }

  /** Ready for the next request of a kept connection. What was pushed and not used must be pushed again. */
  reset(): void {
    if (this.#broken !== undefined) return;
    this.#intake.renew();
    this.#patience.renew();
    this.#management.renew();
    // After 'begin-next' the header of the next request's BEGIN_REQUEST has been read already.
    this.#state = this.#use === 'begin' ? 'begin' : 'idle';
    if (this.#state === 'begin') return;
    this.#use = 'nothing';
    this.#intake.requestId = 0;
  }

  /** Ready for another connection. False: something is left in it that belongs to this one, and it is of no more use. */
  recycle(): boolean {
    this.reset();
    const isFresh = this.#broken === undefined && this.#state === 'idle' && this.#decoder.atBoundary;
    return isFresh && this.#management.take() === undefined;
  }

  /** Frees what the unfinished request holds. */
  close(): void {
    this.#intake.close();
  }

  #before(): ReadResult | undefined {
    if (this.#broken !== undefined) return this.#broken;
    if (this.#state === 'drained') return this.#finishDrain();
    if (this.#state === 'done' && this.#use === 'begin') return MORE; // the next request waits for `reset`
    const isTooLarge = this.#state === 'body' && this.#intake.body.exceeds(0);
    return isTooLarge ? this.#refuse('body-too-large') : undefined;
  }

  #onRecord(type: number, length: number): ReadResult | undefined {
    const action = judge(this.#state, this.requestId, this.#intake.begin.role, this.#decoder);
    this.#use = 'nothing';
    switch (action) {
      case 'params':
        if (this.#intake.paramsExceed(length)) return this.#refuse('params-too-large');
        break;
      case 'stdin':
        if (this.#intake.bodyExceeds(length)) return this.#refuse('body-too-large');
        break;
      case 'begin':
      case 'begin-next':
        return this.#open(action);
      case 'question':
        if (!this.#management.openQuestion(length)) return this.#break('management-length');
        break;
      case 'abort':
      case 'last':
        break;
      case 'nothing':
        return this.#breakOn(this.#patience.drained(length + HEADER_LENGTH));
      case 'second':
        return this.#breakOn(
          this.#management.refuseSecond(this.#decoder.requestId) ?? this.#patience.stray(),
        );
      case 'unknown-type':
        return this.#breakOn(this.#management.unknownType(type) ?? this.#patience.stray());
      case 'stray':
        return this.#breakOn(this.#patience.stray());
      default:
        return this.#break(action);
    }
    this.#patience.progress();
    this.#use = action;
    return undefined;
  }

  #onContent(chunk: Buffer, start: number, end: number): ReadResult | undefined {
    if (this.#use === 'question') this.#management.addQuestion(chunk, start, end);
    this.#intake.add(this.#use, chunk, start, end, this.#decoder.remaining);
    return undefined;
  }

  #store(chunk: Buffer): ReadResult | undefined {
    const failure = this.#intake.store(chunk);
    return failure === 0 ? undefined : this.#refuse(spoolReason(failure), failure);
  }

  #onEnd(chunk: Buffer, length: number): ReadResult | undefined {
    const use = this.#use;
    this.#use = 'nothing';
    switch (use) {
      case 'begin':
        this.#state = 'params';
        return this.#intake.begin.role === Role.RESPONDER ? undefined : this.#refuse('unknown-role');
      case 'params':
        return length === 0 ? this.#finishParams() : undefined;
      case 'stdin':
        return length === 0 ? (this.#store(chunk) ?? this.#finishBody()) : undefined;
      case 'question':
        return this.#breakOn(this.#management.answerQuestion());
      case 'abort':
        this.#state = 'done';
        this.close();
        return { kind: 'aborted', requestId: this.requestId, keep: this.keep };
      case 'last':
        return this.#finishDrain();
      case 'nothing':
        return undefined;
    }
  }

  #open(action: 'begin' | 'begin-next'): ReadResult | undefined {
    this.#intake.requestId = this.#decoder.requestId;
    this.#intake.begin.clear();
    this.#use = 'begin';
    if (action === 'begin-next') return this.#finishDrain();
    this.#state = 'begin';
    return undefined;
  }

  #finishParams(): ReadResult {
    const head = this.#intake.finishParams();
    if (typeof head === 'string') return this.#refuse(head);
    this.#state = 'body';
    return { kind: 'head', head };
  }

  #finishBody(): ReadResult {
    const request = this.#intake.finish();
    if (request !== undefined) {
      this.#state = 'done';
      return { kind: 'complete', request };
    }
    const refused = this.#refuse('body-cut-short');
    this.#state = 'drained';
    return refused;
  }

  #finishDrain(): ReadResult {
    this.#state = 'done';
    return DRAINED;
  }

  #drain(): void {
    this.close();
    this.#state = 'drain';
    this.#use = whenDraining(this.#use, this.#decoder.contentLength);
  }

  #refuse(reason: RefusalReason, failure = 0): ReadResult {
    const { requestId, head } = this.#intake;
    const refused = refusal({ requestId, keep: this.keep, head }, reason, failure);
    this.#drain();
    return refused;
  }

  #breakOn(breach: Breach | undefined): ReadResult | undefined {
    return breach === undefined ? undefined : this.#break(breach);
  }

  #break(breach: Breach): ReadResult {
    this.close();
    this.#state = 'done';
    this.#broken = { kind: 'broken', breach };
    return this.#broken;
  }
}
