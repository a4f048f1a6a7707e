/**
 * A control group for each site that has processes: made before its first one, which is born into it, and removed
 * after its last. Everything that its scripts start is in it, wherever that goes, so what is left when no process of
 * guise's is there any more can be ended whole, against any race of forks. Who belongs to one request is told by
 * parentage (site-tree.ts).
 *
 * Privilege: root, whose directories these are: nobody else can write to them, and so nobody can leave.
 */

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import type { Logger } from 'pino';
import { GuiseError, messageOf } from '../error.js';
import { killGroup, membersOf, removeGroup, setOfGroup } from '../os/cgroup.js';
import { realUidOf } from '../os/process.js';
import type { Site } from '../site/site.js';
import { type GroupClaim, openGroup } from './group-claim.js';

const firstWaitMs = 5;
const longestWaitMs = 1000;
/** For programs with privileges of their own, such as a mail server's, to finish what they do. */
const patienceMs = 30_000;

/** What of a site decides about its group. */
export interface Grouped {
  readonly id: number;
  readonly site: Pick<Site, 'name' | 'file' | 'user' | 'memoryMaxBytes' | 'cpuWeight' | 'pidsMax'>;
}

interface Leaving {
  readonly directory: string;
  /** Whose processes are ended at once. Undefined: an earlier daemon's, whose requests may still be running. */
  readonly uid: number | undefined;
  readonly untilMs: number;
  waitMs: number;
}

export class SiteGroups {
  readonly #claim: GroupClaim | undefined;
  readonly #log: Logger;
  /** The groups of sites, by the number of the site. */
  readonly #groups = new Map<number, string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(claim: GroupClaim | undefined, log: Logger) {
    this.#claim = claim;
    this.#log = log;
    if (claim !== undefined) this.#removeLeftovers(claim.sites);
  }

  /**
   * The site's group, made if it is not there.
   *
   * @returns a descriptor for `LaunchSpec.cgroup`, to be closed by the caller; -1 where there are no groups
   * @throws GuiseError NOT_PERMITTED when the site has a limit of memory that cannot be held here
   */
  enter({ id, site }: Grouped): number {
    const canLimit = this.#claim?.controllers.includes('memory') === true;
    if (site.memoryMaxBytes > 0 && !canLimit) {
      const text = `${site.name} has memory_max, and there is no control group with the controller memory to hold it`;
      throw new GuiseError('NOT_PERMITTED', text, { file: site.file, remedy: 'guise check' });
    }
    if (this.#claim === undefined) return -1;
    try {
      return openGroup(this.#groups.get(id) ?? this.#make(this.#claim, id, site));
    } catch (thrown) {
      this.leave({ id, site });
      if (site.memoryMaxBytes > 0) throw thrown;
      this.#log.warn({ site: site.name, problem: messageOf(thrown) }, 'the site gets no control group');
      return -1;
    }
  }

  /** No process of guise's is in it any more: ends what is left, and removes it as soon as it is empty. */
  leave({ id, site }: Grouped): void {
    const directory = this.#groups.get(id);
    if (directory === undefined) return;
    this.#groups.delete(id);
    this.#remove({
      directory,
      uid: site.user.uid,
      untilMs: performance.now() + patienceMs,
      waitMs: firstWaitMs,
    });
  }

  /** Everything of every site ends. */
  endAll(): void {
    if (this.#claim !== undefined) killGroup(this.#claim.sites);
  }

  /** Everything has ended: removes what can be removed. */
  close(): void {
    if (this.#claim === undefined) return;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const group of groupsBelow(this.#claim.sites)) removeGroup(group);
    removeGroup(this.#claim.sites);
  }

  /** A site that changes has two for a while. The number also keeps it apart from the kernel's own files there. */
  #make({ sites, controllers }: GroupClaim, id: number, site: Grouped['site']): string {
    const directory = makeNew(`${sites}/${site.name}:${id}`);
    this.#groups.set(id, directory);
    if (site.memoryMaxBytes > 0) {
      setOfGroup(directory, 'memory.max', site.memoryMaxBytes);
      // Else what is above it would fill the swap. A kernel without swap has no such file.
      if (existsSync(`${directory}/memory.swap.max`)) setOfGroup(directory, 'memory.swap.max', 0);
    }
    if (controllers.includes('cpu')) setOfGroup(directory, 'cpu.weight', site.cpuWeight);
    if (site.pidsMax > 0 && controllers.includes('pids')) setOfGroup(directory, 'pids.max', site.pidsMax);
    return directory;
  }

  #remove(leaving: Leaving): void {
    const { directory, uid, untilMs } = leaving;
    this.#timers.delete(directory);
    if (removeGroup(directory)) return;
    const isOver = performance.now() > untilMs;
    if (isOver || membersOf(directory).some((pid) => realUidOf(pid) === uid)) killGroup(directory);
    const timer = setTimeout(() => this.#remove(leaving), leaving.waitMs);
    timer.unref();
    this.#timers.set(directory, timer);
    leaving.waitMs = Math.min(longestWaitMs, leaving.waitMs * 2);
  }

  /** What a daemon has left that was killed. Its last requests may still be running: they have their time limits. */
  #removeLeftovers(sites: string): void {
    for (const directory of groupsBelow(sites)) {
      const untilMs = performance.now() + patienceMs;
      this.#remove({ directory, uid: undefined, untilMs, waitMs: firstWaitMs });
    }
  }
}

function groupsBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${directory}/${entry.name}`);
}

/** An earlier daemon may have left one of that name. */
function makeNew(wanted: string): string {
  for (let n = 0; ; n++) {
    const directory = n === 0 ? wanted : `${wanted}.${n}`;
    try {
      mkdirSync(directory, { mode: 0o755 });
      return directory;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
  }
}
