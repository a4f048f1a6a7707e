/** What became of a request. One record for each, served or not. */

/** Who ended it. */
export type EndedBy = 'script' | 'visitor' | 'guise' | 'crash';

export interface Outcome {
  /** Shown on a refusal's page and in the log; empty for requests that were served. */
  readonly id: string;
  /** The site, or undefined when none was identified. */
  readonly site: string | undefined;
  /** HTTP status that the visitor got, 0 if none. */
  readonly status: number;
  /** Why guise refused or ended it: a short fixed word; empty when PHP answered. */
  readonly reason: string;
  readonly endedBy: EndedBy;
  /** Milliseconds from complete to running, and from running to the end. */
  readonly queueMs: number;
  readonly runMs: number;
  /** Whether it was a complete request of a site, and got into its queue; whether a worker has run it. */
  readonly wasAdmitted: boolean;
  readonly hasRun: boolean;
  /** Parameters and body. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
  readonly maxRssKb: number;
}
