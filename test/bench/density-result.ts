/** What the density part finds out, as it stands in the JSON file. Times in ms, memory in KiB. */

export interface Density {
  readonly server: 'guise' | 'php-fpm';
  readonly sites: number;
  readonly startMs: number;
  /** PSS of the processes that are there while nobody asks anything. */
  readonly quietKb: number;
  /** The same over that of a server with one site, for each further site. */
  readonly perSiteKb: number;
  /** Until one more site is served, one after the other: the median, and the extremes. php-fpm: one reload. */
  readonly addMs: number;
  readonly addMinMs?: number;
  readonly addMaxMs?: number;
  /** The first request to a site that has no process yet. */
  readonly firstMs: number;
  /** 200 sites asked in turn, warm: processor time per request in µs, requests a second, p99 in ms. */
  readonly activeCpuUs: number;
  readonly activePerSecond: number;
  readonly activeP99: number;
}

export interface DensityResult {
  readonly kind: 'density';
  readonly rows: readonly Density[];
  readonly failures: readonly string[];
}
