/**
 * Which sites have workers that must go though nobody waits for their room: workers have turned out larger than was
 * thought, or the limits have become lower. Pure.
 */

import type { Party } from './shares.js';
import type { SharingLimits } from './sharing.js';

/**
 * One entry for each such worker, the sites that take most for their weight first. A site keeps one worker: what it
 * takes alone is between PHP's `memory_limit` and the administrator.
 */
export function excess(parties: Iterable<Party>, { maxWorkers, memoryBytes }: SharingLimits): Party[] {
  const rows = [...parties].map((party) => ({ party, left: party.workers }));
  let workers = rows.reduce((sum, { left }) => sum + left, 0);
  let bytes = rows.reduce((sum, { party, left }) => sum + left * party.bytes, 0);
  const going: Party[] = [];
  while (workers > maxWorkers || bytes > memoryBytes) {
    const taking = ({ party, left }: (typeof rows)[number]): number => (left * party.bytes) / party.weight;
    const most = rows
      .filter(({ party, left }) => left > 1 && party.canYield)
      .reduce<(typeof rows)[number] | undefined>(
        (best, row) => (best === undefined || taking(row) > taking(best) ? row : best),
        undefined,
      );
    if (most === undefined) break;
    most.left--;
    workers--;
    bytes -= most.party.bytes;
    going.push(most.party);
  }
  return going;
}
