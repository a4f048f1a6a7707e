/** A line of the slow log: a request that still runs, what the kernel says of its process, and where PHP is. */

import { type RequestText, slowLine } from '../account/record.js';
import type { ProcessState } from '../control/router-messages.js';
import type { LedgerSite, RouterLedger } from './ledger.js';
import type { Server } from './serve.js';
import type { Stack } from './stack.js';

/** What is known of a worker from outside. */
export interface Seen {
  readonly state: ProcessState;
  readonly stack: Stack;
}

export interface SlowRequest extends Seen {
  readonly id: string;
  readonly runMs: number;
  readonly pid: number;
}

export function slowRecord(
  ledger: Pick<RouterLedger, 'slow'>,
  site: LedgerSite & { readonly uid: number },
  { id, runMs, pid, state, stack }: SlowRequest,
  request: RequestText,
): void {
  const known = typeof stack === 'string' ? { noStack: stack } : { stack };
  const facts = { id, site: site.name, uid: site.uid, runMs, pid, process: { ...state }, ...known };
  ledger.slow(site, (leftOut) => slowLine(Date.now(), facts, request, leftOut));
}

/** @param worker which may have ended the request meanwhile: then there is no line */
export function tellSlow(server: Pick<Server, 'connections' | 'ledger'>, worker: number, seen: Seen): void {
  for (const { exchange } of server.connections) {
    if (exchange?.worker !== worker || exchange.state !== 'running') continue;
    const { id, site, pid, head, startedMs } = exchange;
    const runMs = Math.round(performance.now() - startedMs);
    slowRecord(server.ledger, site, { id, runMs, pid, ...seen }, head);
    return;
  }
}
