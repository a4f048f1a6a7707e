/**
 * The parts of one request as they come in: the content of BEGIN_REQUEST, the parameters, the body. It knows how much
 * of each is allowed, and nothing of the order in which records come: that is reader.ts.
 */
import { BeginContent } from './begin.js';
import { BodyIntake, noBody } from './body.js';
import { Head, type HeadFault } from './head.js';
import type { ReadLimits } from './limits.js';
import type { Use } from './order.js';
import { ParamsBlock } from './params.js';
import type { IncomingRequest } from './result.js';

export class Intake {
  requestId = 0;
  head: Head | undefined = undefined;
  readonly begin = new BeginContent();
  readonly body: BodyIntake;
  readonly #limits: ReadLimits;
  readonly #params = new ParamsBlock();
  /** Body in the present chunk that has not been stored yet. */
  #from = 0;
  #to = 0;

  constructor(limits: ReadLimits, spoolDirectory: string) {
    this.#limits = limits;
    this.body = new BodyIntake(limits, spoolDirectory);
  }

  /** Whether a PARAMS record of this length is too much. */
  paramsExceed(length: number): boolean {
    return this.#params.length + length > this.#limits.maxParamsBytes;
  }

  /** Whether a STDIN record of this length is too much. */
  bodyExceeds(length: number): boolean {
    return this.body.exceeds(this.#to - this.#from + length);
  }

  /**
   * Takes content of a record; that of the body waits for `store`.
   * @param rest bytes of the same record that are still to come
   */
  add(use: Use, chunk: Buffer, start: number, end: number, rest: number): void {
    if (use === 'stdin') this.#append(chunk, start, end);
    else if (use === 'params') this.#params.append(chunk, start, end, rest);
    else if (use === 'begin') this.begin.add(chunk, start, end);
  }

  /** Pieces of the body move together in the chunk, over headers that have been read: one write for all of them. */
  #append(chunk: Buffer, start: number, end: number): void {
    if (this.#from === this.#to) {
      this.#from = start;
      this.#to = end;
      return;
    }
    chunk.copyWithin(this.#to, start, end);
    this.#to += end - start;
  }

  /** Stores what has come of the body. Returns 0, or the positive errno with which that failed. */
  store(chunk: Buffer): number {
    const [from, to] = [this.#from, this.#to];
    this.#from = this.#to = 0;
    return from === to ? 0 : this.body.add(chunk, from, to);
  }

  finishParams(): Head | HeadFault {
    const head = Head.scan(this.requestId, this.begin.keep, this.#params.take(), this.#limits.maxParams);
    if (typeof head === 'string') return head;
    this.head = head;
    this.body.open(head.contentLength);
    return head;
  }

  /** The whole request; undefined when its body is shorter than announced. */
  finish(): IncomingRequest | undefined {
    const body = this.body.finish();
    return body === undefined || this.head === undefined ? undefined : { head: this.head, body };
  }

  /** The request whose parameters are complete, when no body can follow and nothing of one has come. */
  finishEarly(): IncomingRequest | undefined {
    return this.head?.isBodiless === true && this.#from === this.#to && this.body.isEmpty
      ? { head: this.head, body: noBody }
      : undefined;
  }

  /** Throws away what there is of parameters and body. */
  close(): void {
    this.#from = this.#to = 0;
    this.body.close();
    this.#params.take();
    this.head = undefined;
  }

  /** Ready for the next request. */
  renew(): void {
    this.close();
    this.body.limit = this.#limits.maxBodyBytes;
  }
}
