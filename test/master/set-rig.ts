import { pino } from 'pino';
import type { Test } from 'tap';
import { Housekeeper } from '../../src/master/housekeeper.js';
import { Lives } from '../../src/master/lives.js';
import type { SiteRuntime } from '../../src/master/site-runtime.js';
import { SiteSet } from '../../src/master/site-set.js';
import { WorkerBudget } from '../../src/master/worker-budget.js';
import { Poller } from '../../src/os/poller.js';
import { memfd } from '../../src/os/socket.js';
import { type Registry, readSites } from '../../src/site/registry.js';
import type { Site } from '../../src/site/site.js';
import { makeInstance, siteText } from '../site/instance.js';

/** A set without processes: nothing is ever demanded of its sites. */
export class SetRig {
  readonly calls: string[] = [];
  readonly sites: SiteSet;
  readonly base: Site;

  constructor(t: Test) {
    const instance = makeInstance(t);
    instance.site('a.test.toml', siteText(instance, 'a.test', 'confine = "off"\n'));
    const [site] = readSites(instance.config()).sites;
    if (site === undefined) throw new Error('no site');
    this.base = site;
    const poller = new Poller();
    t.teardown(() => poller.close());
    const log = pino({ enabled: false });
    const around = {
      poller,
      log,
      library: '',
      budget: new WorkerBudget(0),
      housekeeper: new Housekeeper('/nonexistent', log),
      prepare: () => {
        throw new Error('nothing is started');
      },
      requireConfinement: () => false,
      groups: { enter: () => -1 },
      programs: { start: () => -1, ended: () => undefined },
      expectOrphans: () => undefined,
      nowMs: () => 0,
      quarantined: (id: number) => this.sites.quarantined(id),
      lives: () => new Lives(),
      lane: () => ({
        isDirect: false,
        introduce: () => undefined,
        templateGone: () => undefined,
        forTemplate: () => ({ listener: -1, shared: -1, env: {} }),
        forWorker: () => ({ ours: -1, theirs: -1, slot: 0 }),
        born: () => undefined,
        gone: () => undefined,
        notGiven: () => undefined,
        close: () => undefined,
        progress: () => 0,
        unborn: () => undefined,
        noRoom: () => undefined,
        room: () => undefined,
        awaited: () => undefined,
        yieldOne: () => undefined,
        idleMs: () => undefined,
        giveUpIdle: () => undefined,
        isFree: () => undefined,
        recycle: () => undefined,
        figures: () => undefined,
      }),
    };
    const tell = (what: string) => (runtime: SiteRuntime) => {
      this.calls.push(`${what} ${runtime.site.name} ${runtime.id}`);
    };
    this.sites = new SiteSet('/run/guise', around, {
      opened: (runtime, listener) => {
        this.calls.push(`opened ${runtime.site.name} ${runtime.id}${listener < 0 ? '' : ' with a socket'}`);
      },
      rekeyed: tell('rekeyed'),
      closed: tell('closed'),
      gone: () => undefined,
      over: tell('over'),
      listen: (path) => {
        this.calls.push(`listen ${path}`);
        return memfd('listener');
      },
      unlink: (path) => this.calls.push(`unlink ${path}`),
    });
    t.teardown(() => this.sites.closeAll());
  }

  site(name: string, more: Partial<Site> = {}): Site {
    return { ...structuredClone(this.base), name, ...more };
  }

  /** Applies it; the calls that followed, and the difference in short. */
  apply(...sites: Site[]): { readonly calls: string[]; readonly difference: unknown } {
    this.calls.length = 0;
    const registry: Registry = { sites, parked: [] };
    const { added, changed, removed, unchanged } = this.sites.apply(registry);
    return { calls: [...this.calls], difference: [added, changed, removed, unchanged] };
  }
}
