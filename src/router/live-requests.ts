/** Requests that wait or run now: who may see them, and their end at somebody's word. */

import { requestFields } from '../account/record.js';
import type { Caller } from '../control/roles.js';
import { GuiseError } from '../error.js';
import type { Connection } from './connection.js';
import type { Dispatcher } from './dispatch.js';
import type { Exchange } from './exchange.js';

export interface LiveRequest {
  readonly id: string;
  readonly site: string;
  readonly uid: number;
  readonly state: 'waiting' | 'running';
  /** Since it was complete, and since a worker has had it. */
  readonly ms: number;
  readonly runMs: number;
  /** The worker's process; 0: it waits. */
  readonly pid: number;
  readonly client?: string;
  readonly method?: string;
  readonly host?: string;
  readonly uri?: string;
  readonly script?: string;
}

export interface RequestsReport {
  readonly requests: readonly LiveRequest[];
  /** So many more there are than are shown. */
  readonly more: number;
}

/** Of one answer. */
const most = 1000;

export interface LiveSources {
  readonly connections: ReadonlySet<Connection>;
  readonly dispatcher: Pick<Dispatcher, 'leave' | 'stop' | 'lookAtAll'>;
}

export class LiveRequests {
  readonly #sources: LiveSources;

  constructor(sources: LiveSources) {
    this.#sources = sources;
  }

  /** The longest first. */
  list(caller: Caller, site: string | undefined): RequestsReport {
    const nowMs = performance.now();
    const all = this.#visible(caller)
      .filter((exchange) => site === undefined || exchange.site.name === site)
      .sort((a, b) => a.readMs - b.readMs);
    return {
      requests: all.slice(0, most).map((exchange) => view(exchange, nowMs)),
      more: Math.max(0, all.length - most),
    };
  }

  /**
   * Its worker is killed, or it leaves the queue. Its end follows.
   *
   * @throws GuiseError REQUEST_UNKNOWN, also for what the caller may not see
   */
  kill(caller: Caller, id: string): LiveRequest {
    const exchange = this.#visible(caller).find((one) => one.id === id);
    if (exchange === undefined) {
      throw new GuiseError('REQUEST_UNKNOWN', `no request ${JSON.stringify(id)} is waiting or running`, {
        remedy: 'guise requests',
      });
    }
    const seen = view(exchange, performance.now());
    exchange.killedBy ??= caller.uid;
    if (exchange.state === 'waiting') this.#sources.dispatcher.leave(exchange, 'killed');
    else if (exchange.stopped === undefined) this.#sources.dispatcher.stop(exchange, 'killed');
    return seen;
  }

  #visible({ role, uid }: Caller): Exchange[] {
    // Some have ended without a message.
    this.#sources.dispatcher.lookAtAll();
    const all = [...this.#sources.connections].flatMap(({ exchange }) => exchange ?? []);
    const live = all.filter(({ state }) => state !== 'over');
    if (role === 'admin' || role === 'status') return live;
    return live.filter(({ site }) => site.uid !== 0 && site.uid === uid);
  }
}

function view(exchange: Exchange, nowMs: number): LiveRequest {
  const { id, site, state, readMs, startedMs, pid, head } = exchange;
  const isRunning = state === 'running';
  return {
    id,
    site: site.name,
    uid: site.uid,
    state: isRunning ? 'running' : 'waiting',
    ms: Math.round(nowMs - readMs),
    runMs: isRunning ? Math.round(nowMs - startedMs) : 0,
    pid: isRunning ? pid : 0,
    ...Object.fromEntries(Object.entries(requestFields(head)).filter(([, text]) => text !== undefined)),
  };
}
