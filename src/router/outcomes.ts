/** From how a request ended to its record. */

import { noUse, type Outcome } from '../account/outcome.js';
import type { Note } from '../control/worker-messages.js';
import type { Head } from '../request/head.js';
import type { Ending } from './ending.js';
import type { Exchange } from './exchange.js';
import { type RefusalReason, refusalKinds } from './refusals.js';
import type { RoutedSite } from './routed-site.js';

/** Of a request that never got as far as a worker. */
export function refusedOutcome(
  id: string,
  site: RoutedSite | undefined,
  reason: RefusalReason,
  head?: Head,
): Outcome {
  const { status } = refusalKinds[reason];
  const bytesIn = head?.params.length ?? 0;
  return { ...noUse, id, site: site?.name, uid: site?.uid ?? 0, status, reason, endedBy: 'guise', bytesIn };
}

export function outcomeOf(exchange: Exchange, ending: Ending): Outcome {
  const nowMs = performance.now();
  const { id, readMs, startedMs, bytesIn, killedBy, pid, site } = exchange;
  const { note } = ending;
  const reason = ending.kind === 'done' ? '' : ending.reason;
  return {
    id,
    site: site.name,
    uid: site.uid,
    status: reason === '' ? (note?.status ?? 0) : refusalKinds[reason].status,
    reason,
    endedBy: endedBy(reason),
    byUid: reason === 'killed' ? killedBy : undefined,
    queueMs: (startedMs || nowMs) - readMs,
    runMs: startedMs === 0 ? 0 : endMs(note, startedMs, nowMs) - startedMs,
    wasAdmitted: reason !== 'queue-full',
    hasRun: startedMs !== 0,
    bytesIn,
    bytesOut: note?.bytesOut ?? 0,
    cpuUserUs: note?.userUs ?? 0,
    cpuSystemUs: note?.systemUs ?? 0,
    maxRssKb: note?.maxRssKb ?? 0,
    pid,
  };
}

/** Of CLOCK_MONOTONIC, which workers tell the time by, in milliseconds. */
export const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** An end is often noticed later than it was, so the worker's own word counts, where it is possible. */
function endMs(note: Note | undefined, startedMs: number, nowMs: number): number {
  const saidMs = (note?.endedUs ?? 0) / 1000 - originMs;
  return saidMs >= startedMs && saidMs <= nowMs ? saidMs : nowMs;
}

export function endedBy(reason: RefusalReason | ''): Outcome['endedBy'] {
  if (reason === '') return 'script';
  if (reason === 'worker-died') return 'crash';
  if (reason === 'killed') return 'operator';
  return reason === 'visitor-left' ? 'visitor' : 'guise';
}
