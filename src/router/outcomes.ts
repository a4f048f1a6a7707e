/** From how a request ended to its record. */

import { randomBytes } from 'node:crypto';
import type { Outcome } from '../account/outcome.js';
import type { Ending } from './ending.js';
import type { Exchange } from './exchange.js';
import { type RefusalReason, refusalKinds } from './refusals.js';

export function refusedOutcome(site: string | undefined, reason: RefusalReason): Outcome {
  const { status } = refusalKinds[reason];
  const nothing = {
    queueMs: 0,
    runMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    cpuUserUs: 0,
    cpuSystemUs: 0,
    maxRssKb: 0,
  };
  return {
    id: newId(),
    site,
    status,
    reason,
    endedBy: 'guise',
    wasAdmitted: false,
    hasRun: false,
    ...nothing,
  };
}

export function outcomeOf(exchange: Exchange, ending: Ending): Outcome {
  const nowMs = performance.now();
  const { readMs, startedMs } = exchange;
  const { note } = ending;
  const reason = ending.kind === 'done' ? '' : ending.reason;
  return {
    id: reason === '' ? '' : newId(),
    site: exchange.site.name,
    status: reason === '' ? (note?.status ?? 0) : refusalKinds[reason].status,
    reason,
    endedBy: endedBy(reason),
    queueMs: (startedMs || nowMs) - readMs,
    runMs: startedMs === 0 ? 0 : nowMs - startedMs,
    wasAdmitted: reason !== 'queue-full',
    hasRun: startedMs !== 0,
    bytesIn: exchange.bytesIn,
    bytesOut: note?.bytesOut ?? 0,
    cpuUserUs: note?.userUs ?? 0,
    cpuSystemUs: note?.systemUs ?? 0,
    maxRssKb: note?.maxRssKb ?? 0,
  };
}

/** Stands on the visitor's page and in the log. */
function newId(): string {
  return randomBytes(6).toString('hex');
}

function endedBy(reason: RefusalReason | ''): Outcome['endedBy'] {
  if (reason === '') return 'script';
  if (reason === 'worker-died') return 'crash';
  return reason === 'visitor-left' ? 'visitor' : 'guise';
}
