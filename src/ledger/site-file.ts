/**
 * One log file of a site. The master opens it; here lines are added until it is full, and then another one is asked
 * for. A disk that is full costs lines and nothing else.
 */

import { closeSync, fstatSync, writeSync } from 'node:fs';

/** What may be written beyond the size at which a new file was asked for, before lines are left out. */
const patience = 1.25;

export class SiteFile {
  readonly #maxBytes: number;
  #fd = -1;
  #bytes = 0;
  /** The master has been asked for it, or for the next one. */
  isAsked = false;
  lastUsedMs = 0;
  #waiting: string[] = [];
  /** Lines that were not written since this was last asked. */
  leftOut = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isOpen(): boolean {
    return this.#fd >= 0;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Takes the descriptor over. Throws NodeJS.ErrnoException as `add` does. */
  open(fd: number): void {
    this.close();
    this.#fd = fd;
    this.#bytes = fstatSync(fd).size;
    this.isAsked = false;
    this.#write(this.#waiting.splice(0));
  }

  /** There is no such file. */
  refuse(): void {
    this.isAsked = false;
    this.leftOut += this.#waiting.splice(0).length;
  }

  /** @throws NodeJS.ErrnoException, ENOSPC among them, when the lines could not be written: they are left out */
  add(lines: readonly string[], nowMs: number): void {
    this.lastUsedMs = nowMs;
    if (this.isOpen) this.#write(lines);
    else if (this.#waiting.length < 1000) this.#waiting.push(...lines);
    else this.leftOut += lines.length;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#bytes = 0;
  }

  /** One write for all of them: appended, so no other writer comes in between. */
  #write(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#bytes > this.#maxBytes * patience) {
      this.leftOut += lines.length;
      return;
    }
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    try {
      const written = writeSync(this.#fd, bytes);
      this.#bytes += written;
      // The rest of a line that was cut by a full disk would be glued to the next one.
      if (written < bytes.length) this.#cut(lines);
    } catch (thrown) {
      this.leftOut += lines.length;
      throw thrown;
    }
  }

  #cut(lines: readonly string[]): void {
    this.leftOut += lines.length;
    this.#bytes += writeSync(this.#fd, '\n');
  }
}
