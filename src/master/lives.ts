/** How many processes a site has been given, and how those that did not end by themselves ended. */

import { signalName } from '../os/signal.js';

/** A number for each signal (signal(7)) and one for exit codes other than 0: there are no more kinds of end. */
export type Deaths = ReadonlyMap<string, number>;

const noDeaths: Deaths = new Map();

export class Lives {
  workers = 0;
  templates = 0;
  /** Templates that ended before they were ready, or could not be started. */
  failedStarts = 0;
  #deaths: Map<string, number> | undefined;

  get deaths(): Deaths {
    return this.#deaths ?? noDeaths;
  }

  died(exitCode: number | null, signal: number | null): void {
    if (signal === null && exitCode === 0) return;
    this.#count(signal === null ? 'exit' : signalName(signal), 1);
  }

  /** Takes over what another one has counted. */
  add(other: Lives): void {
    this.workers += other.workers;
    this.templates += other.templates;
    this.failedStarts += other.failedStarts;
    for (const [how, count] of other.deaths) this.#count(how, count);
  }

  #count(how: string, count: number): void {
    this.#deaths ??= new Map();
    this.#deaths.set(how, (this.#deaths.get(how) ?? 0) + count);
  }
}
