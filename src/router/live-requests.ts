/** Requests that wait or run now: who may see them, and their end at somebody's word. */

import { requestFields } from '../account/record.js';
import type { Caller } from '../control/roles.js';
import { GuiseError } from '../error.js';
import type { Connection } from './connection.js';
import { clockMs } from './direct-outcome.js';
import type { Running } from './direct-site.js';
import type { DirectSites } from './direct-sites.js';
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

/** A request that lives, wherever it is known from. */
interface Live {
  readonly view: LiveRequest;
  kill(byUid: number): void;
}

export class LiveRequests {
  readonly #sources: LiveSources;
  readonly #direct: Pick<DirectSites, 'running' | 'kill'>;

  constructor(sources: LiveSources, direct: Pick<DirectSites, 'running' | 'kill'>) {
    this.#sources = sources;
    this.#direct = direct;
  }

  /** The longest first. */
  list(caller: Caller, site: string | undefined): RequestsReport {
    const all = this.#visible(caller)
      .map(({ view }) => view)
      .filter((view) => site === undefined || view.site === site)
      .sort((a, b) => b.ms - a.ms);
    return { requests: all.slice(0, most), more: Math.max(0, all.length - most) };
  }

  /**
   * Its worker is killed, or it leaves the queue. Its end follows. Workers of the direct lane name their requests
   * themselves: whoever takes another one's name goes along with it.
   *
   * @throws GuiseError REQUEST_UNKNOWN, also for what the caller may not see
   */
  kill(caller: Caller, id: string): LiveRequest {
    const [first, ...others] = this.#visible(caller).filter(({ view }) => view.id === id);
    if (first === undefined) {
      throw new GuiseError('REQUEST_UNKNOWN', `no request ${JSON.stringify(id)} is waiting or running`, {
        remedy: 'guise requests',
      });
    }
    for (const live of [first, ...others]) live.kill(caller.uid);
    return first.view;
  }

  #visible({ role, uid }: Caller): Live[] {
    const nowMs = performance.now();
    const all = [...this.#routed(nowMs), ...this.#inDirectLane(nowMs)];
    if (role === 'admin' || role === 'status') return all;
    return all.filter(({ view }) => view.uid !== 0 && view.uid === uid);
  }

  #routed(nowMs: number): Live[] {
    const { connections, dispatcher } = this.#sources;
    // Some have ended without a message.
    dispatcher.lookAtAll();
    const all = [...connections].flatMap(({ exchange }) => exchange ?? []);
    return all
      .filter(({ state }) => state !== 'over')
      .map((exchange) => ({ view: view(exchange, nowMs), kill: (byUid) => this.#kill(exchange, byUid) }));
  }

  #inDirectLane(nowMs: number): Live[] {
    return this.#direct.running().map((running) => ({
      view: directView(running, nowMs),
      kill: (byUid) => this.#direct.kill(running, byUid),
    }));
  }

  #kill(exchange: Exchange, byUid: number): void {
    exchange.killedBy ??= byUid;
    if (exchange.state === 'waiting') this.#sources.dispatcher.leave(exchange, 'killed');
    else if (exchange.stopped === undefined) this.#sources.dispatcher.stop(exchange, 'killed');
  }
}

function directView({ site, seat, entry }: Running, nowMs: number): LiveRequest {
  const runMs = Math.round(nowMs - clockMs(entry.startedUs, nowMs));
  return {
    id: entry.id,
    site: site.name,
    uid: site.uid,
    state: 'running',
    ms: runMs,
    runMs,
    pid: seat.pid,
    ...requestFields(entry),
  };
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
