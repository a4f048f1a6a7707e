import { KEEP_CONN } from '../fastcgi/constants.js';

/** Bytes of content in BEGIN_REQUEST (FastCGI 1.0, section 5.1). */
export const BEGIN_LENGTH = 8;

/** Gathers the content of a BEGIN_REQUEST record, which can be cut anywhere. */
export class BeginContent {
  readonly #bytes = new Uint8Array(BEGIN_LENGTH);
  #filled = 0;

  add(chunk: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && this.#filled < BEGIN_LENGTH; at += 1) {
      this.#bytes[this.#filled++] = chunk[at] as number;
    }
  }

  get role(): number {
    return ((this.#bytes[0] as number) << 8) | (this.#bytes[1] as number);
  }

  get keep(): boolean {
    return ((this.#bytes[2] as number) & KEEP_CONN) !== 0;
  }

  /** Ready for another record. */
  clear(): void {
    this.#filled = 0;
    this.#bytes.fill(0);
  }
}
