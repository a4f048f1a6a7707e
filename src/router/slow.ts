/** A line of the slow log: a request that still runs, and what the kernel says of its process at that moment. */

import { type RequestText, slowLine } from '../account/record.js';
import type { ProcessState } from '../control/router-messages.js';
import type { LedgerSite, RouterLedger } from './ledger.js';
import type { Server } from './serve.js';

export interface SlowRequest {
  readonly id: string;
  readonly runMs: number;
  readonly pid: number;
  readonly state: ProcessState;
}

export function slowRecord(
  ledger: Pick<RouterLedger, 'slow'>,
  site: LedgerSite & { readonly uid: number },
  { id, runMs, pid, state }: SlowRequest,
  request: RequestText,
): void {
  const facts = { id, site: site.name, uid: site.uid, runMs, pid, process: { ...state } };
  ledger.slow(site, (leftOut) => slowLine(Date.now(), facts, request, leftOut));
}

/** @param worker which may have ended the request meanwhile: then there is no line */
export function tellSlow(
  server: Pick<Server, 'connections' | 'ledger'>,
  worker: number,
  state: ProcessState,
): void {
  for (const { exchange } of server.connections) {
    if (exchange?.worker !== worker || exchange.state !== 'running') continue;
    const { id, site, pid, head, startedMs } = exchange;
    const runMs = Math.round(performance.now() - startedMs);
    slowRecord(server.ledger, site, { id, runMs, pid, state }, head);
    return;
  }
}
