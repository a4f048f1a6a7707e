/** A line of the slow log: a request that still runs, and what the kernel says of its process at that moment. */

import { slowLine } from '../account/record.js';
import type { ProcessState } from '../control/router-messages.js';
import type { Server } from './serve.js';

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
    const facts = { id, site: site.name, uid: site.uid, runMs, pid, process: { ...state } };
    server.ledger.slow(site, (leftOut) => slowLine(Date.now(), facts, head, leftOut));
    return;
  }
}
