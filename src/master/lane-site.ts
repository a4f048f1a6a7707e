/** A site as its lane sees it: a view of its table of workers, and what else the lane may ask for. */

import type { LaneSite } from './lane.js';
import type { WorkerTable } from './worker-table.js';

export function laneSite(
  workers: WorkerTable,
  acts: Pick<LaneSite, 'demand' | 'end' | 'failed' | 'sound'>,
): LaneSite {
  return {
    get workers() {
      return workers.size;
    },
    get pids() {
      return workers.pids;
    },
    signal: (signal, worker) => {
      if (worker === undefined) workers.signalAll(signal);
      else workers.signal(worker, signal);
    },
    ...acts,
  };
}
