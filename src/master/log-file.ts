/** guise.log: one file that master, router and ledger append to, opened again when it has been renamed. Privilege: root. */

import { openSync } from 'node:fs';
import { LogStream } from '../account/log-stream.js';

export class LogFile {
  readonly stream: LogStream;
  readonly #path: string;

  /** @throws NodeJS.ErrnoException */
  constructor(path: string) {
    this.#path = path;
    this.stream = new LogStream(this.open());
  }

  get fd(): number {
    return this.stream.fd;
  }

  /** A descriptor of its own for another process. */
  open(): number {
    return openSync(this.#path, 'a', 0o640);
  }

  reopen(): void {
    this.stream.replace(this.open());
  }
}
