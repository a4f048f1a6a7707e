/** What can happen in the world around a pool, and what it remembers of it. */

import type { PoolLimits } from '../../src/pool/site-pool.js';

export interface ModelWorker {
  readonly id: number;
  requests: number;
  ticket: number | undefined;
  idleSinceMs: number;
  isWorn: boolean;
}

export type EventName =
  | 'admit'
  | 'arrived'
  | 'notGiven'
  | 'noRoom'
  | 'room'
  | 'yield'
  | 'keep'
  | 'wearOut'
  | 'ended'
  | 'done'
  | 'gone'
  | 'leave'
  | 'retireIdle'
  | 'limits';

/** How a ticket's life ended. */
export type TicketEnd = 'done' | 'lost' | 'left' | 'full';

export function noCounts(): Record<EventName | TicketEnd, number> {
  const ends = { done: 0, lost: 0, left: 0, full: 0 };
  const ways = {
    admit: 0,
    arrived: 0,
    notGiven: 0,
    noRoom: 0,
    room: 0,
    yield: 0,
    keep: 0,
    wearOut: 0,
    ended: 0,
  };
  return { ...ends, ...ways, gone: 0, leave: 0, retireIdle: 0, limits: 0 };
}

/** Other limits than these, by chance. */
export function otherLimits(limits: PoolLimits, choice: number): PoolLimits {
  return {
    ...limits,
    maxWorkers: 1 + (choice % 7),
    spare: (choice >>> 3) % 4,
    queueLength: (choice >>> 5) % 9,
    maxRequests: (choice >>> 8) % 6,
  };
}
