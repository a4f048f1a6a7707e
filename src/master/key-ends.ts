/**
 * Keys that are accepted for a time only: when one has run out, the router is told which ones are left. Of thousands of
 * sites a few have such keys, and nobody looks at the others.
 */

import type { SiteRuntime } from './site-runtime.js';

/** setTimeout(3) of Node takes no more than 31 bits. */
const longestTimerMs = 0x7fff_ffff;

export class KeyEnds {
  readonly #sites = new Set<SiteRuntime>();
  readonly #ended: (runtime: SiteRuntime) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param ended a key of one of the sites that have such keys */
  constructor(ended: (runtime: SiteRuntime) => void) {
    this.#ended = ended;
  }

  /** The site is in force, with the keys that it has now. */
  watch(runtime: SiteRuntime): void {
    const hasEnd = runtime.site.keyring.some(({ untilMs }) => untilMs !== Number.POSITIVE_INFINITY);
    if (hasEnd) this.#sites.add(runtime);
    else this.#sites.delete(runtime);
  }

  forget(runtime: SiteRuntime): void {
    this.#sites.delete(runtime);
  }

  /** Waits for the next end. To be called when sites have changed. */
  wait(): void {
    clearTimeout(this.#timer);
    const nowMs = Date.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const runtime of this.#sites) {
      for (const { untilMs } of runtime.site.keyring) if (untilMs > nowMs) nextMs = Math.min(nextMs, untilMs);
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        for (const runtime of this.#sites) this.#ended(runtime);
        this.wait();
      },
      Math.min(nextMs - nowMs, longestTimerMs),
    );
    this.#timer.unref();
  }
}
