/**
 * All sites of the master: which run, under which number, on which socket; and how a new registry is applied by
 * difference, so that a site which did not change is not touched. Numbers are never used twice.
 *
 * Privilege: root. Knows the router only as somebody to tell.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Registry, SitesChanged } from '../site/registry.js';
import { type Site, sitesOfVisitors, standIn } from '../site/site.js';
import { KeyEnds } from './key-ends.js';
import { type ListenerHandlers, OwnListeners } from './own-listeners.js';
import type { Standing } from './site-health.js';
import { SiteRuntime } from './site-runtime.js';
import type { Surroundings } from './surroundings.js';

const inService: Standing = {};

export interface SiteSetHandlers extends ListenerHandlers {
  /** The router is to know this site, with its own listening socket or none (-1). */
  opened(runtime: SiteRuntime, listener: number): void;
  /** The site accepts other keys than before. */
  rekeyed(runtime: SiteRuntime): void;
  /** The router is to forget it once its requests have ended. */
  closed(runtime: SiteRuntime): void;
  /** The last process under this number has ended, and nothing will be started under it any more. */
  gone(runtime: SiteRuntime): void;
  /** The same, and nothing of its name is left. */
  over(runtime: SiteRuntime): void;
}

export interface Difference {
  readonly added: string[];
  readonly changed: string[];
  readonly removed: string[];
  unchanged: number;
}

export class SiteSet {
  readonly #byName = new Map<string, SiteRuntime>();
  readonly #byId = new Map<number, SiteRuntime>();
  /** How many rows there are of a name: one that is in force, and those whose last workers are ending. */
  readonly #namesakes = new Map<string, number>();
  readonly #listeners: OwnListeners;
  readonly #around: Surroundings;
  readonly #handlers: SiteSetHandlers;
  readonly #keyEnds: KeyEnds;
  #lastId = 0;

  constructor(runDirectory: string, around: Surroundings, handlers: SiteSetHandlers) {
    this.#listeners = new OwnListeners(runDirectory, handlers);
    this.#around = around;
    this.#handlers = handlers;
    this.#keyEnds = new KeyEnds((runtime) => handlers.rekeyed(runtime));
  }

  /** Those in force and those whose last workers are ending. */
  all(): IterableIterator<SiteRuntime> {
    return this.#byId.values();
  }

  /** Whether it is the one that takes new requests under its name. */
  isInForce({ id, site }: SiteRuntime): boolean {
    return isAutomaticId(id) || this.#byName.get(site.name)?.id === id;
  }

  byId(id: number): SiteRuntime | undefined {
    return this.#byId.get(id);
  }

  listenerOf(name: string): number {
    return this.#listeners.of(name);
  }

  /** What the kernel calls the socket of this site. */
  boundNameOf(name: string): string {
    return this.#listeners.boundNameOf(name);
  }

  /** Ends what takes requests without the router; where it is a program, nobody reaches its socket any more. */
  closeSelfServing(): void {
    for (const runtime of this.#byName.values()) {
      if (runtime.site.dispatch === 'router') continue;
      runtime.close();
      if (runtime.site.dispatch === 'program') this.#listeners.close(runtime.site.name);
    }
  }

  /** Brings the sites in force to what the registry says. */
  apply(registry: Registry): Difference {
    return this.#exchange([...this.#byName.keys()], registry.sites);
  }

  /** The same where it is known what changed: nobody looks at the other sites. */
  applyChange({ before, after }: Pick<SitesChanged, 'before' | 'after'>): Difference {
    return this.#exchange(
      before.flatMap(withVisitors).map(({ name }) => name),
      after,
    );
  }

  #exchange(present: readonly string[], written: readonly Site[]): Difference {
    const difference: Difference = { added: [], changed: [], removed: [], unchanged: 0 };
    const sites = written.flatMap(withVisitors);
    const wanted = new Map(sites.map((site) => [site.name, site]));
    for (const name of present) {
      const runtime = this.#byName.get(name);
      if (runtime === undefined) continue;
      const site = wanted.get(name);
      if (site === undefined) {
        this.#end(runtime);
        this.sweep(runtime);
        this.#listeners.close(name);
        difference.removed.push(name);
      } else if (isDeepStrictEqual(site, runtime.configured)) {
        runtime.renew(site); // else both would be kept
        difference.unchanged++;
      } else {
        this.#change(runtime, site);
        difference.changed.push(name);
      }
    }
    for (const site of sites) {
      if (this.#byName.has(site.name)) continue;
      this.#begin(site);
      difference.added.push(site.name);
    }
    this.#keyEnds.wait();
    return difference;
  }

  /** Other keys are no reason to end a worker, but where the workers themselves look at them. */
  #change(runtime: SiteRuntime, site: Site): void {
    const isRouted = runtime.configured === runtime.site && site.dispatch === 'router';
    if (isRouted && isDeepStrictEqual(withoutKeys(site), withoutKeys(runtime.site))) {
      runtime.renew(site);
      this.#keyEnds.watch(runtime);
      this.#handlers.rekeyed(runtime);
    } else this.#replace(runtime, site);
  }

  #replace(runtime: SiteRuntime, site: Site, standing?: Standing): void {
    this.#end(runtime);
    this.#begin(site, standing);
    this.sweep(runtime); // only now, for the site is not over
  }

  /** Ends what runs under this name with its last requests, and begins anew. Returns whether there is such a site. */
  restart(name: string): boolean {
    const runtimes = this.#present(name);
    for (const runtime of runtimes) this.#replace(runtime, runtime.configured);
    return runtimes.length > 0;
  }

  /** The same, where the site is in quarantine. */
  liftQuarantine(name: string): boolean {
    const runtimes = this.#present(name);
    for (const runtime of runtimes) {
      if (runtime.health.outOfService === 'quarantined') this.#replace(runtime, runtime.configured);
      else runtime.health.lift();
    }
    return runtimes.length > 0;
  }

  /** The site of this name, and the same for visitors that run as other users. */
  #present(name: string): SiteRuntime[] {
    const runtime = this.#byName.get(name);
    if (runtime === undefined) return [];
    const names = sitesOfVisitors(runtime.configured).map((site) => site.name);
    return [runtime, ...names.flatMap((one) => this.#byName.get(one) ?? [])];
  }

  /**
   * The router says so to every demand of a site that it serves. For one that serves itself it takes over: not before
   * the site has come to the end of what it is doing.
   */
  quarantined(id: number): void {
    setImmediate(() => {
      const runtime = this.#byId.get(id);
      if (runtime === undefined || runtime.isClosing || runtime.site.dispatch === 'router') return;
      const { outOfService } = runtime.health;
      this.#replace(runtime, runtime.configured, { outOfService, problem: runtime.lastProblem });
    });
  }

  /** The automatic site of this number; made if it is not there. */
  automatic(id: number, make: () => Site): SiteRuntime {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const runtime = new SiteRuntime(id, make(), this.#around);
    this.#byId.set(id, runtime);
    return runtime;
  }

  /** Forgets sites whose last worker has ended. */
  sweep(runtime: SiteRuntime): void {
    const isOver = runtime.workers.size === 0 && runtime.templatePid === undefined;
    if (!isOver) return;
    if (runtime.isClosing) this.#forget(runtime);
    else if (isAutomaticId(runtime.id) && runtime.health.outOfService === undefined && !runtime.isThrottled) {
      this.#byId.delete(runtime.id);
      this.#handlers.closed(runtime);
      this.#handlers.gone(runtime);
    }
  }

  /** A site that has changed lives on under its name, and the last processes of several may end in any order. */
  #forget(runtime: SiteRuntime): void {
    const { name } = runtime.site;
    if (!this.#byId.delete(runtime.id)) return;
    this.#handlers.gone(runtime);
    const left = (this.#namesakes.get(name) ?? 0) - 1;
    if (left > 0) this.#namesakes.set(name, left);
    else {
      this.#namesakes.delete(name);
      this.#handlers.over(runtime);
    }
  }

  closeAll(): void {
    for (const runtime of this.#byName.values()) {
      this.#end(runtime);
      this.sweep(runtime);
    }
    this.#listeners.closeAll();
  }

  #begin(
    configured: Site,
    standing: Standing = configured.enabled ? inService : { outOfService: 'disabled' },
  ): void {
    const id = ++this.#lastId;
    const site = standing.outOfService === undefined ? configured : standIn(configured);
    if (site.socket === 'own') this.#listeners.open(site);
    else this.#listeners.close(site.name);
    const runtime = new SiteRuntime(id, configured, this.#around, standing);
    this.#byName.set(site.name, runtime);
    this.#byId.set(runtime.id, runtime);
    this.#keyEnds.watch(runtime);
    this.#namesakes.set(site.name, (this.#namesakes.get(site.name) ?? 0) + 1);
    this.#handlers.opened(runtime, this.listenerOf(site.name));
  }

  #end(runtime: SiteRuntime): void {
    this.#byName.delete(runtime.site.name);
    this.#keyEnds.forget(runtime);
    runtime.close();
    this.#handlers.closed(runtime);
  }
}

/** Sites for visitors come first: whoever may ask for them must find them. */
function withVisitors(site: Site): Site[] {
  return [...sitesOfVisitors(site), site];
}

/** The router numbers the sites that are directories, from here on. */
export function isAutomaticId(id: number): boolean {
  return id >= 0x8000_0000;
}

function withoutKeys(site: Site): Partial<Site> {
  return { ...site, keys: [], keyring: [] };
}
