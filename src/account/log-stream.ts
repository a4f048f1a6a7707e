/**
 * Where a process's log lines go: a descriptor opened for appending, each line one write, which may be exchanged for
 * another when the file has been renamed. A log that cannot be written ends nothing.
 */

import { closeSync, writeSync } from 'node:fs';

export class LogStream {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd;
  }

  /** For pino. */
  write(line: string): void {
    try {
      writeSync(this.#fd, line);
    } catch {
      // A full disk: there is nobody left to tell.
    }
  }

  /** Takes the descriptor over. Standard output and error keep the old one, which only a crash would use. */
  replace(fd: number): void {
    if (fd < 0) return;
    if (this.#fd > 2) closeSync(this.#fd);
    this.#fd = fd;
  }
}
