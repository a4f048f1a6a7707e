/**
 * A site whose neighbour is in trouble: it is asked for one page after the other, before the trouble and all through it.
 * How long its visitors wait is compared within one run only, and with what as many busy processes do that no guise
 * knows of: the processors of a test machine are shared, and nobody can promise milliseconds there.
 */

import type { Test } from 'tap';
import { startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import type { Guise, Site } from './guise.js';
import { type Address, get } from './http.js';
import type { World } from './world.js';

/** A median of so many says something. */
const enough = 60;
/** What another run of the same may differ by, on two processors that others use too. */
const noise = 8;

export class Neighbour {
  /** How long each visitor waited, in milliseconds. */
  readonly #waitsMs: number[] = [];
  readonly #wrong: string[] = [];
  readonly #address: Address;
  readonly #site: Site;
  #isOpen = true;
  readonly #visits: Promise<void>;

  constructor(address: Address, site: Site) {
    this.#address = address;
    this.#site = site;
    this.#visits = this.#visit();
  }

  /** The median of his visitors' waits from now until `meanwhile` is over, and there are enough of them. */
  async during(meanwhile: Promise<unknown> = Promise.resolve()): Promise<number> {
    const from = this.#waitsMs.length;
    await meanwhile;
    await until('enough visitors', () => this.#waitsMs.length - from >= enough, 30_000);
    return median(this.#waitsMs.slice(from));
  }

  /** Nobody comes any more; fails `t` for every visitor who did not get his page. */
  async close(t: Test): Promise<void> {
    this.#isOpen = false;
    await this.#visits;
    t.same(this.#wrong, [], `none of the neighbour's ${this.#waitsMs.length} visitors saw an error`);
  }

  async #visit(): Promise<void> {
    while (this.#isOpen) {
      const started = performance.now();
      try {
        const reply = await get(this.#address, '/index.php');
        if (reply.status !== 200 || reply.text() !== `front page of ${this.#site.name}`)
          this.#wrong.push(`${reply.status} ${reply.text().slice(0, 100)}`);
      } catch (thrown) {
        this.#wrong.push(String(thrown));
      }
      this.#waitsMs.push(performance.now() - started);
    }
  }
}

/**
 * The neighbour's visitors waited about as long as they do beside as many busy processes: the trouble takes no more from
 * them than the processor time that is anybody's.
 */
export function isHardlyTouched(t: Test, troubledMs: number, calmMs: number, busyMs: number): void {
  const usual = Math.max(calmMs, busyMs);
  const words = [troubledMs, calmMs, busyMs].map((ms) => ms.toFixed(1));
  t.ok(
    troubledMs < usual * noise,
    `${words[0]} ms in trouble, ${words[1]} before, ${words[2]} beside busy processes`,
  );
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** What his visitors wait while so many processes that nobody limits keep the processors busy. */
export async function waitBesideBusyProcesses(
  world: World,
  neighbour: Neighbour,
  count: number,
): Promise<number> {
  const { uid, gid } = await world.users.get('busy');
  const loops = `for i in $(seq ${count}); do (while :; do :; done) & done; wait`;
  const busy = startService(
    '/usr/bin/setpriv',
    [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '/usr/bin/setsid',
      '--wait',
      '/bin/sh',
      '-c',
      loops,
    ],
    `${world.directory}/busy.out`,
    world.directory,
  );
  const mine = () => world.guise.processesOf({ uid } as Site['user']);
  try {
    await until('busy processes', () => mine().length >= count);
    return await neighbour.during();
  } finally {
    // Those at the ends, so that each is waited for by its own parent, which then ends too.
    const all = mine();
    const ends = all.filter(({ pid }) => !all.some(({ parent }) => parent === pid));
    for (const { pid } of ends) process.kill(pid, 'SIGKILL');
    await until('the end of busy processes', () => busy.exit() !== undefined && mine().length === 0);
  }
}

/** The most processes that the site's user had at once while something went on. */
export async function mostProcesses(guise: Guise, site: Site, meanwhile: Promise<unknown>): Promise<number> {
  let isOver = false;
  let most = 0;
  const end = meanwhile.finally(() => {
    isOver = true;
  });
  await until('the end of it', () => {
    most = Math.max(most, guise.processesOf(site.user).length);
    return isOver;
  });
  await end;
  return most;
}

/** Nothing that a script of the site has started is there any more. */
export async function treeIsGone(t: Test, guise: Guise, site: Site, isIt: RegExp): Promise<void> {
  const left = () => guise.processesOf(site.user).filter(({ command }) => isIt.test(command));
  await until('everything that the script has started to end', () => left().length === 0);
  t.same(left(), [], 'nothing is left of what it started');
}
