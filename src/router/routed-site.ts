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
const nobody: ReadonlySet<never> = new Set();

export class RoutedSite implements Identifiable {
  readonly id: number;
  readonly config: RouterSite;
  readonly pool: SitePool<Exchange>;
  /** The directory that it is, for a site without a file. */
  readonly auto: AutoMatch | undefined;
  readonly counters = new Counters();
  /** So many lines have not been written since the last one that was. */
  linesLeftOut = 0;
  /** Whom its processes run as; 0: an automatic site that has not had any yet. */
  uid: number;
  keyHashes: readonly string[];
  /** The slates of the workers that come from the present template. */
  slates: ArrayBuffer | undefined;
  // Made when there is something to count: of most sites nobody asks anything.
  #lines: LineBudget | undefined;
  #records: LineBudget | undefined;
  #running: Set<WorkerLink> | undefined;
  /** The master has taken the site out; requests that it has already admitted still finish. */
  isClosing = false;
  idleTimer: NodeJS.Timeout | undefined;

  constructor(id: number, config: RouterSite, auto?: AutoMatch) {
    this.id = id;
    this.auto = auto;
    this.config = config;
    this.keyHashes = config.keyHashes;
    this.uid = config.uid;
    this.pool = new SitePool(poolLimits(config));
  }

  /** Log lines about its refusals. */
  get lines(): LineBudget {
    this.#lines ??= new LineBudget(linesPerSecond);
    return this.#lines;
  }

  /** Lines of its ledger. */
  get records(): LineBudget {
    this.#records ??= new LineBudget(this.config.ledgerLinesPerSecond);
    return this.#records;
  }

  /** Workers that run a request, as far as is known. */
  get running(): ReadonlySet<WorkerLink> {
    return this.#running ?? nobody;
  }

  /** A worker has begun a request. */
  begun(worker: WorkerLink): void {
    this.#running ??= new Set();
    this.#running.add(worker);
  }

  /** It has ended it. */
  over(worker: WorkerLink): void {
    this.#running?.delete(worker);
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
