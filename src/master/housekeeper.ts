/**
 * Removes temporary files that nobody uses any more, and the directories of removed sites. Nothing in a tenant's
 * directory is ever touched by root, who could be led elsewhere by a link that is replaced in time: find(1) does the
 * work as the owner, in the same confinement as the site. It runs only while the site has a template, so an idle
 * machine stays idle.
 *
 * Privilege: root, until the launcher has become the owner.
 */

import { existsSync, lstatSync, readdirSync, rmdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Logger } from 'pino';
import { messageOf } from '../error.js';
import { type LandlockRules, type LaunchSpec, launch } from '../os/launch.js';
import type { Site } from '../site/site.js';
import { discardedStates, discardState } from './site-state.js';

const find = '/usr/bin/find';
const longestIntervalMs = 3_600_000;
const shortestIntervalMs = 1000;
/** A site that has just been started has better things to do. */
const patienceMs = 10_000;
/** Of processor time: nobody can make it busy for longer. */
const cpuSeconds = 60;

export class Housekeeper {
  readonly #state: string;
  readonly #log: Logger;
  /** When each site was last looked after, and which are just now. */
  readonly #lastMs = new Map<string, number>();
  readonly #busy = new Set<string>();
  readonly #children = new Map<number, () => void>();
  readonly #discarded: string[] = [];
  #listed: { readonly directory: string; readonly names: readonly string[] } | undefined;

  constructor(stateDirectory: string, log: Logger) {
    this.#state = stateDirectory;
    this.#log = log;
  }

  /** Looks after the site's temporary directory until the function that it returns is called. */
  attend(site: Site, directory: string, landlock: LandlockRules | undefined): () => void {
    if (site.tmpMaxAgeMs === 0) return () => undefined;
    const intervalMs = Math.min(longestIntervalMs, Math.max(shortestIntervalMs, site.tmpMaxAgeMs / 2));
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const sinceMs = performance.now() - (this.#lastMs.get(site.name) ?? Number.NEGATIVE_INFINITY);
      const delayMs = Math.max(intervalMs - sinceMs, Math.min(intervalMs, patienceMs));
      timer = setTimeout(() => {
        this.#clean(site, directory, landlock);
        wait();
      }, delayMs);
      timer.unref();
    };
    wait();
    return () => {
      clearTimeout(timer);
    };
  }

  /** Its last process has ended. A site whose file is gone too was removed; a file that is set aside is kept. */
  siteIsOver({ name, file }: Site): void {
    this.#lastMs.delete(name);
    try {
      if (this.#isThere(file)) return;
      const directory = discardState(this.#state, name);
      if (directory !== undefined) this.#empty([directory]);
    } catch (thrown) {
      this.#warn(name, messageOf(thrown));
    }
  }

  /** Also as `NAME.toml.disabled` and the like. Sites that go together are looked for in one list. */
  #isThere(file: string): boolean {
    if (existsSync(file)) return true;
    const directory = dirname(file);
    if (this.#listed?.directory !== directory) {
      this.#listed = { directory, names: readdirSync(directory) };
      setImmediate(() => {
        this.#listed = undefined;
      });
    }
    return this.#listed.names.some((name) => name.startsWith(basename(file)));
  }

  /** What an earlier daemon did not come to. */
  begin(): void {
    this.#empty(discardedStates(this.#state));
  }

  /** Nothing is started any more. */
  end(): void {
    this.#discarded.length = 0;
    this.#children.clear();
  }

  /** Its own processes. */
  get pids(): number[] {
    return [...this.#children.keys()];
  }

  childDied(pid: number): boolean {
    const followUp = this.#children.get(pid);
    if (followUp === undefined) return false;
    this.#children.delete(pid);
    followUp();
    return true;
  }

  #clean(site: Site, directory: string, landlock: LandlockRules | undefined): void {
    const { name, user } = site;
    if (this.#busy.has(name)) return;
    this.#lastMs.set(name, performance.now());
    const before = `@${Math.floor((Date.now() - site.tmpMaxAgeMs) / 1000)}`;
    // A file that is only read is used too, and the time of a change cannot be set back.
    const untouched = ['a', 'm', 'c'].flatMap((time) => ['!', `-newer${time}t`, before]);
    const what = ['(', '!', '-type', 'd', '-o', '-empty', ')', ...untouched];
    try {
      this.#find([directory], what, user, landlock, () => this.#busy.delete(name));
      this.#busy.add(name);
    } catch (thrown) {
      this.#warn(name, messageOf(thrown));
    }
  }

  /** One after the other: there may be many. */
  #empty(directories: readonly string[]): void {
    const isIdle = this.#discarded.length === 0;
    this.#discarded.push(...directories);
    if (isIdle) this.#emptyNext();
  }

  #emptyNext(): void {
    const [directory] = this.#discarded;
    if (directory === undefined) return;
    const places = ['tmp', 'sessions'].map((name) => `${directory}/${name}`);
    const goOn = (): void => {
      this.#removeEmpty([...places, directory]);
      this.#discarded.shift();
      this.#emptyNext();
    };
    const owner = places.map(ownerOf).find((found) => found !== undefined && found.uid !== 0);
    if (owner === undefined) {
      goOn();
      return;
    }
    try {
      this.#find(places, [], { ...owner, groups: [] }, undefined, goOn);
    } catch (thrown) {
      this.#warn(directory, messageOf(thrown));
      this.#discarded.shift();
      this.#emptyNext();
    }
  }

  /** Directories that are not empty stay, and the next daemon tries again. */
  #removeEmpty(directories: readonly string[]): void {
    for (const directory of directories) {
      try {
        rmdirSync(directory);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') continue;
        this.#warn(directory, messageOf(thrown));
        return;
      }
    }
  }

  #find(
    places: readonly string[],
    tests: readonly string[],
    identity: NonNullable<LaunchSpec['identity']>,
    landlock: LandlockRules | undefined,
    followUp: () => void,
  ): void {
    const { uid, gid, groups } = identity;
    const { pid } = launch({
      file: find,
      args: ['find', ...places, '-mindepth', '1', '-xdev', '-ignore_readdir_race', ...tests, '-delete'],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      cwd: places[0] ?? '/',
      descriptors: [-1, -1, -1],
      identity: { uid, gid, groups },
      nice: 19,
      limits: { core: 0, cpu: cpuSeconds },
      noNewPrivileges: true,
      newSession: true,
      ...(landlock === undefined ? {} : { landlock }),
    });
    this.#children.set(pid, followUp);
  }

  #warn(what: string, problem: string): void {
    this.#log.warn({ what, problem }, 'temporary files could not be removed');
  }
}

function ownerOf(directory: string): { uid: number; gid: number } | undefined {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  return stats?.isDirectory() === true ? { uid: stats.uid, gid: stats.gid } : undefined;
}
