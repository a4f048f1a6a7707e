/** The end of a file, and what is added to it, also when it is renamed and another takes its name. */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const chunkBytes = 64 * 1024;
/** How much is looked through from the end for lines of a kind, and how long a line without an end may become. */
const mostBytes = 64 * 1024 * 1024;
const longestLine = 1024 * 1024;

export class FollowedFile {
  readonly #path: string;
  #fd: number;
  #at: number;
  #rest: Buffer = Buffer.alloc(0);

  /** @throws NodeJS.ErrnoException */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, 'r');
    this.#at = fstatSync(this.#fd).size;
  }

  /** The last `count` lines that are wanted; a last line without an end is not one yet. */
  last(count: number, wanted: (line: string) => boolean): string[] {
    let found: string[] = [];
    let tail: Buffer = Buffer.alloc(0);
    for (let start = this.#at, read = 0; start > 0 && found.length < count && read < mostBytes; ) {
      const length = Math.min(chunkBytes, start);
      start -= length;
      read += length;
      tail = Buffer.concat([this.#read(start, length), tail]);
      // The first line may begin before the chunk; it waits for the next one.
      const cut = start === 0 ? 0 : tail.indexOf(0x0a) + 1;
      if (cut === 0 && start > 0) continue;
      const lines = tail.toString('utf8', cut).split('\n').slice(0, -1);
      found = [...lines.filter((line) => line !== '' && wanted(line)), ...found].slice(-count);
      tail = Buffer.from(tail.subarray(0, cut));
    }
    return count === 0 ? [] : found;
  }

  /** Whole lines that have been added since. */
  added(): string[] {
    const lines = this.#takeNew();
    // The old file has been read to its end, and whatever comes goes to the new one.
    if (this.#isReplaced()) {
      lines.push(...this.#takeNew());
      this.#reopen();
      lines.push(...this.#takeNew());
    }
    return lines;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #takeNew(): string[] {
    const { size } = fstatSync(this.#fd);
    if (size < this.#at) this.#at = 0; // somebody has cut it
    const parts = [this.#rest];
    while (this.#at < size) {
      const part = this.#read(this.#at, Math.min(chunkBytes, size - this.#at));
      if (part.length === 0) break;
      this.#at += part.length;
      parts.push(part);
    }
    const bytes = Buffer.concat(parts);
    const end = bytes.lastIndexOf(0x0a) + 1;
    const rest = bytes.subarray(end);
    this.#rest = rest.length > longestLine ? Buffer.alloc(0) : rest;
    return bytes
      .toString('utf8', 0, end)
      .split('\n')
      .filter((line) => line !== '');
  }

  #isReplaced(): boolean {
    const present = statSync(this.#path, { throwIfNoEntry: false });
    const own = fstatSync(this.#fd);
    return present !== undefined && (present.ino !== own.ino || present.dev !== own.dev);
  }

  #reopen(): void {
    try {
      const fd = openSync(this.#path, 'r');
      closeSync(this.#fd);
      this.#fd = fd;
      this.#at = 0;
      this.#rest = Buffer.alloc(0);
    } catch {
      // It is just being replaced: at the next look.
    }
  }

  #read(start: number, length: number): Buffer {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(this.#fd, buffer, 0, length, start));
  }
}
