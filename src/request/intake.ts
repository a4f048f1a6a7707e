/**
 * The parts of one request as they come in: the content of BEGIN_REQUEST, the parameters, the body. It knows how much
 * of each is allowed, and nothing of the order in which records come: that is reader.ts.
 */
import { BeginContent } from './begin.js';
import { BodyIntake } from './body.js';
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

  constructor(limits: ReadLimits, spoolDirectory: string) {
    this.#limits = limits;
    this.body = new BodyIntake(limits, spoolDirectory);
  }

  /** Whether a PARAMS record of this length is too much. */
  paramsExceed(length: number): boolean {
    return this.#params.length + length > this.#limits.maxParamsBytes;
  }

  /**
   * Takes content of a record. Returns 0, or the positive errno with which the body could not be stored.
   * @param rest bytes of the same record that are still to come
   */
  add(use: Use, chunk: Buffer, start: number, end: number, rest: number): number {
    if (use === 'stdin') return this.body.add(chunk, start, end);
    if (use === 'params') this.#params.append(chunk, start, end, rest);
    else if (use === 'begin') this.begin.add(chunk, start, end);
    return 0;
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

  /** Throws away what there is of parameters and body. */
  close(): void {
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
