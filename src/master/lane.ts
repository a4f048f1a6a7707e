/**
 * How a site's workers get their requests, as far as the master is concerned: through the router, or from the
 * site's own socket without it. A lane decides what a new worker is given and who is told of its life.
 */

import type { Figures } from '../account/figures.js';
import type { Wish } from '../pool/sharing.js';
import type { Site } from '../site/site.js';

/** What a worker is born with. Descriptors of -1 are none. */
export interface WorkerSupplies {
  /** Kept until the worker is born, then handed to `born`. */
  readonly ours: number;
  /** Sent along with the order, and closed here then. */
  readonly theirs: number;
  /** The worker's place in the shared counters. */
  readonly slot: number;
}

/** What a template is started with. */
export interface TemplateSupplies {
  /** Its descriptor 0; -1: a socket that is neither bound nor connected. */
  readonly listener: number;
  /** Its descriptor 4, or -1: memory that its workers share with whoever follows their work. */
  readonly shared: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A worker as the router gets it. */
export interface Birth {
  readonly worker: number;
  readonly uid: number;
  /** By the kernel's word. */
  readonly pid: number;
  /** Where its slate lies. */
  readonly slot: number;
  /** The router's end of its job channel. */
  readonly channel: number;
}

/** The router, as lanes know it. */
export interface LaneRouter {
  tell(type: number, site: number, worker: number, a: number, b: number): void;
  /** The channel goes along for good. */
  giveWorker(site: number, birth: Birth): void;
  /** The site's slates; the descriptor stays the caller's. */
  giveSlates(site: number, slates: number): void;
  /** A site that the router only reads of, in this memory; the descriptor stays the caller's. */
  giveDirectSite(id: number, site: Site, memory: number): void;
}

export interface Lane {
  readonly isDirect: boolean;
  /** There is a router that knows nothing yet of what the workers share with it. */
  introduce(): void;
  forTemplate(): TemplateSupplies;
  forWorker(id: number): WorkerSupplies;
  /** `pid` is the kernel's word. */
  born(id: number, channel: number, pid: number): void;
  /** It was ordered, and will never be born. */
  unborn(id: number): void;
  gone(id: number, exitCode: number | null, signal: number | null): void;
  /** So many of the workers that were asked for are not given: noWorkerReason of router-messages.ts. */
  notGiven(count: number, reason: number): void;
  /** The machine has no room for so many of them now; see `room`. */
  noRoom(count: number, wish: Wish): void;
  /** There is room for one: it may be asked for, at once or never. */
  room(): void;
  /** The template says that a request has come, and no worker is there. */
  awaited(): void;
  /** One worker is to go at the end of a request, an idle one at once. */
  yieldOne(): void;
  /** For how long one of its workers has been idle, the longest; undefined: none is, or the router knows. */
  idleMs(): number | undefined;
  /** Has that one end. */
  giveUpIdle(): void;
  /** Whether a worker has no request now. undefined: it is asked, and `Recycler.isFree` is called when it has none. */
  isFree(worker: number): boolean | undefined;
  /** A worker is to be replaced: an idle one at once, another at the end of its request. */
  recycle(worker: number): void;
  /** The template has ended; its workers may go on. */
  templateGone(): void;
  /** No further request is to be taken. */
  close(): void;
  /** Grows when requests have ended properly, by the workers' own word. No count of them. */
  progress(): number;
  /** What is going on, where the router does not know it. */
  figures(): Figures | undefined;
}

/** Whose lane it is. */
export interface LaneOwner {
  readonly id: number;
  readonly site: Site;
  /** For lanes that act by themselves: most only do what they are told. */
  asLaneSite(): LaneSite;
}

/** What a lane may do to the site it belongs to. */
export interface LaneSite {
  readonly workers: number;
  /** Somebody waits for `needed` of them; 0: none is waited for any more. */
  demand(count: number, needed: number): void;
  readonly pids: readonly number[];
  /** signal(7), to one worker or to all. */
  signal(signal: number, worker?: number): void;
  /** Kills a worker, and everything that it has started. */
  end(worker: number): void;
  /** A worker has ended as it should not have: the next ones have to wait. */
  failed(problem: string): void;
  /** A worker has run for long enough: the next failure is the first again. */
  sound(): void;
}
