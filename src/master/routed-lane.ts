/** Workers whose requests come from the router: each has a channel of its own to it. */

import { toRouter } from '../control/router-messages.js';
import { seqpacketPair, setBlocking } from '../os/socket.js';
import type { Lane, TemplateSupplies, WorkerSupplies } from './lane.js';

export type TellRouter = (
  type: number,
  site: number,
  worker: number,
  a: number,
  b: number,
  descriptor?: number,
) => void;

export class RoutedLane implements Lane {
  readonly isDirect = false;
  readonly #site: number;
  readonly #uid: number;
  readonly #tell: TellRouter;

  constructor(site: number, uid: number, tell: TellRouter) {
    this.#site = site;
    this.#uid = uid;
    this.#tell = tell;
  }

  forTemplate(): TemplateSupplies {
    return { listener: -1, counters: -1, env: {} };
  }

  forWorker(): WorkerSupplies {
    const [ours, theirs] = seqpacketPair();
    setBlocking(theirs, true);
    return { ours, theirs, slot: 0 };
  }

  born(id: number, channel: number, pid: number): void {
    this.#tell(toRouter.worker, this.#site, id, this.#uid, pid, channel);
  }

  gone(id: number, exitCode: number | null, signal: number | null): void {
    this.#tell(toRouter.workerGone, this.#site, id, signal ?? 0, exitCode ?? 0);
  }

  notGiven(count: number, reason: number): void {
    this.#tell(toRouter.noWorker, this.#site, 0, count, reason);
  }

  /** The router's end of each channel decides when the present workers go. */
  close(): void {
    // The router is told by whoever closes the site.
  }

  figures(): undefined {
    return undefined;
  }
}
