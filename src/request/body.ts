/**
 * The body of one request while it arrives: what was announced, what is allowed, and the spool it goes to.
 */
import type { ReadLimits } from './limits.js';
import { BodySpool, type StoredBody } from './spool.js';

export const noBody: StoredBody = { kind: 'memory', buffer: Buffer.alloc(0), length: 0 };

export class BodyIntake {
  /** Bytes that are accepted. */
  limit: number;

  readonly #limits: ReadLimits;
  readonly #directory: string;
  #declared = -1;
  #spool: BodySpool | undefined = undefined;

  constructor(limits: ReadLimits, directory: string) {
    this.#limits = limits;
    this.#directory = directory;
    this.limit = limits.maxBodyBytes;
  }

  /** @param declared CONTENT_LENGTH, or -1 when it says nothing */
  open(declared: number): void {
    this.#declared = declared;
  }

  /** Whether the body is too large, or is going to be: by its announcement, or with `coming` bytes more. */
  exceeds(coming: number): boolean {
    return this.#declared > this.limit || (this.#spool?.length ?? 0) + coming > this.limit;
  }

  /** Nothing of it has come. */
  get isEmpty(): boolean {
    return this.#spool === undefined;
  }

  /** Stores the bytes from `start` to `end`. Returns 0, or the positive errno of what failed. */
  add(chunk: Buffer, start: number, end: number): number {
    this.#spool ??= new BodySpool(this.#limits, this.#directory, this.#declared);
    return this.#spool.write(chunk, start, end);
  }

  /**
   * The complete body, or undefined when there is less of it than was announced: the visitor's upload was cut off on
   * its way. More is accepted: Apache's input filters (mod_deflate says so in its manual) change the body and not the
   * number, and what counts is what was read.
   */
  finish(): StoredBody | undefined {
    if ((this.#spool?.length ?? 0) < this.#declared) return undefined;
    return this.#spool?.take() ?? noBody;
  }

  /** Throws away what there is, and forgets the request. */
  close(): void {
    this.#spool?.close();
    this.#spool = undefined;
    this.#declared = -1;
  }
}
