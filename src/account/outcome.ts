/** What became of a request. One record for each, served or not. */

/** Who ended it; operator: somebody with `guise kill`. */
export type EndedBy = 'script' | 'visitor' | 'guise' | 'crash' | 'operator';

export interface Outcome {
  /** Stands in the ledger, in the log, and on a refusal's page. */
  readonly id: string;
  /** The site, or undefined when none was identified. */
  readonly site: string | undefined;
  /** The user that it ran as, or would have; 0 where that is not known. */
  readonly uid: number;
  /** HTTP status that the visitor got, 0 if none. */
  readonly status: number;
  /** Why guise refused or ended it: a short fixed word; empty when PHP answered. */
  readonly reason: string;
  readonly endedBy: EndedBy;
  /** The user who asked for its end. */
  readonly byUid: number | undefined;
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
  /** The process that ran it, as the kernel told the master; 0: none did. */
  readonly pid: number;
  /** Its worker has taken it from the web server itself: what is said of it is mostly that worker's word. */
  readonly isDirect?: boolean;
}

/** Of a request that used nothing. */
export const noUse = {
  byUid: undefined,
  queueMs: 0,
  runMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  wasAdmitted: false,
  hasRun: false,
  cpuUserUs: 0,
  cpuSystemUs: 0,
  maxRssKb: 0,
  pid: 0,
} as const;
