/**
 * Readers for new connections. Most connections bring one request and are over, and a reader is a dozen objects: those
 * of ended connections serve the next ones, as long as nothing of a peer is left in them.
 */

import { type ReaderSettings, RequestReader } from '../request/reader.js';
import type { Connection } from './connection.js';

/** More connections than this rarely end at once. */
const most = 64;

export class ReaderStock {
  readonly #settings: ReaderSettings;
  readonly #readers: RequestReader[] = [];

  constructor(settings: ReaderSettings) {
    this.#settings = settings;
  }

  take(): RequestReader {
    return this.#readers.pop() ?? new RequestReader(this.#settings);
  }

  /** The connection has ended. While its request is still under way, somebody may yet ask its reader. */
  give({ reader, exchange }: Connection): void {
    if (exchange === undefined && this.#readers.length < most && reader.recycle()) this.#readers.push(reader);
  }
}
