/**
 * How a site's workers get their requests, as far as the master is concerned: through the router, or from the
 * site's own socket without it. A lane decides what a new worker is given and who is told of its life.
 */

import type { Figures } from '../account/figures.js';

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

export interface Lane {
  readonly isDirect: boolean;
  /** Memory with the workers' slates, for the router; -1: none. It stays the lane's. */
  readonly slates: number;
  forTemplate(): TemplateSupplies;
  forWorker(id: number): WorkerSupplies;
  /** `pid` is the kernel's word. */
  born(id: number, channel: number, pid: number): void;
  /** It was ordered, and will never be born. */
  unborn(id: number): void;
  gone(id: number, exitCode: number | null, signal: number | null): void;
  /** So many of the workers that were asked for are not given: noWorkerReason of router-messages.ts. */
  notGiven(count: number, reason: number): void;
  /** The template has ended; its workers may go on. */
  templateGone(): void;
  /** No further request is to be taken. */
  close(): void;
  /** Grows when requests have ended properly, by the workers' own word. No count of them. */
  progress(): number;
  /** What is going on, where the router does not know it. */
  figures(): Figures | undefined;
}

/** What a lane may do to the site it belongs to. */
export interface LaneSite {
  readonly workers: number;
  demand(count: number): void;
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
