/** From what a worker of the direct lane has written down to the record of a request. Nothing it says is out of bounds. */

import type { Outcome } from '../account/outcome.js';
import { directReason } from '../control/direct-counters.js';
import type { LogbookEntry } from '../control/logbook.js';
import { endedBy, originMs } from './outcomes.js';
import type { RefusalReason } from './refusals.js';

/** What the master and the router know of it by themselves. */
export interface DirectFacts {
  readonly site: string;
  readonly uid: number;
  readonly pid: number;
  /** Of a request whose end its worker did not tell. */
  readonly lost?: { readonly reason: 'worker-died' | 'time-limit' | 'killed'; readonly byUid?: number };
}

const most = 2 ** 40;

/** `us` of a worker's clock on that of performance.now(); what cannot be is now. */
export function clockMs(us: number, nowMs: number): number {
  const ms = us / 1000 - originMs;
  return us > 0 && ms <= nowMs ? ms : nowMs;
}

export function directOutcome(entry: LogbookEntry, facts: DirectFacts, nowMs: number): Outcome {
  const { site, uid, pid, lost } = facts;
  const reason = lost?.reason ?? reasonOf(entry.reason);
  const endedMs = lost === undefined ? clockMs(entry.endedUs, nowMs) : nowMs;
  return {
    id: entry.id,
    site,
    uid,
    // Nobody answers for a worker that is gone: the web server does.
    status: lost === undefined && entry.status <= 999 ? entry.status : 0,
    reason,
    endedBy: endedBy(reason),
    byUid: lost?.byUid,
    queueMs: 0,
    runMs: Math.max(0, endedMs - clockMs(entry.startedUs, nowMs)),
    wasAdmitted: true,
    hasRun: true,
    bytesIn: Math.min(entry.bytesIn, most),
    bytesOut: Math.min(entry.bytesOut, most),
    cpuUserUs: Math.min(entry.userUs, most),
    cpuSystemUs: Math.min(entry.systemUs, most),
    maxRssKb: Math.min(entry.maxRssKb, most),
    pid,
    isDirect: true,
  };
}

function reasonOf(number: number): RefusalReason | '' {
  return number === 0 ? '' : (directReason(number) ?? 'worker-died');
}
