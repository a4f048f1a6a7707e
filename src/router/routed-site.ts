/** A site as the router knows it: its row of the table, its pool, its counts. */

import { Counters } from '../account/counters.js';
import { LineBudget } from '../account/line-budget.js';
import type { RouterSite } from '../control/router-messages.js';
import { Slate, slateBytes } from '../control/slate.js';
import { type PoolLimits, SitePool } from '../pool/site-pool.js';
import type { AutoMatch } from '../site/auto.js';
import type { Identifiable } from '../site/identify.js';
import type { Exchange } from './exchange.js';
import type { WorkerLink } from './worker-link.js';

const linesPerSecond = 20;

export class RoutedSite implements Identifiable {
  readonly id: number;
  readonly config: RouterSite;
  readonly pool: SitePool<Exchange>;
  /** The directory that it is, for a site without a file. */
  readonly auto: AutoMatch | undefined;
  readonly counters = new Counters();
  /** Log lines about its refusals. */
  readonly lines = new LineBudget(linesPerSecond);
  /** Lines of its ledger. */
  readonly records: LineBudget;
  /** So many lines have not been written since the last one that was. */
  linesLeftOut = 0;
  /** Whom its processes run as; 0: an automatic site that has not had any yet. */
  uid: number;
  keyHashes: readonly string[];
  /** The slates of the workers that come from the present template. */
  slates: ArrayBuffer | undefined;
  /** Workers that run a request, as far as is known. */
  readonly running = new Set<WorkerLink>();
  /** The master has taken the site out; requests that it has already admitted still finish. */
  isClosing = false;
  idleTimer: NodeJS.Timeout | undefined;

  constructor(id: number, config: RouterSite, auto?: AutoMatch) {
    this.id = id;
    this.auto = auto;
    this.config = config;
    this.keyHashes = config.keyHashes;
    this.uid = config.uid;
    this.records = new LineBudget(config.ledgerLinesPerSecond);
    this.pool = new SitePool(poolLimits(config));
  }

  slateAt(slot: number): Slate | undefined {
    const { slates } = this;
    return slates !== undefined && (slot + 1) * slateBytes <= slates.byteLength
      ? new Slate(slates, slot)
      : undefined;
  }

  get name(): string {
    return this.config.name;
  }

  get aliases(): readonly string[] {
    return this.config.aliases;
  }

  /** Some of its requests run as other users than the rest. */
  get hasSeveralUsers(): boolean {
    return Object.keys(this.config.visitors).length > 0;
  }

  get keyRequired(): boolean {
    return this.config.keyRequired;
  }
}

function poolLimits(config: RouterSite): PoolLimits {
  const { mode, maxWorkers, spare, queueLength, maxRequests } = config;
  return { oneJob: mode === 'per-request', maxWorkers, spare, queueLength, maxRequests };
}
