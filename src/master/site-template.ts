/**
 * The template of one site: none while nobody needs workers, else one, which stays for a while after the last of
 * them. When to start it again after it has failed is decided elsewhere. Privilege: root.
 */

import type { Report } from '../control/template-messages.js';
import { close } from '../os/socket.js';
import type { Site } from '../site/site.js';
import type { Lane } from './lane.js';
import type { Lives } from './lives.js';
import type { Grouped } from './site-groups.js';
import type { Surroundings } from './surroundings.js';
import { TemplateProcess } from './template-process.js';

/** A template stays this many idle timeouts longer than its last worker. */
const patience = 5;

export class SiteTemplate {
  process: TemplateProcess | undefined;
  /** It has said that it can fork workers. */
  isReady = false;
  /** A worker of it has been born. */
  hasForked = false;
  readonly #owner: Grouped & { readonly site: Site };
  readonly #around: Surroundings;
  readonly #lane: Lane;
  readonly #lives: Lives;
  #timer: NodeJS.Timeout | undefined;

  /** @param owner whose site is another object when its keys change */
  constructor(owner: Grouped & { readonly site: Site }, around: Surroundings, lane: Lane, lives: Lives) {
    this.#owner = owner;
    this.#around = around;
    this.#lane = lane;
    this.#lives = lives;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get isStarting(): boolean {
    return this.process !== undefined && !this.isReady;
  }

  /** @throws GuiseError LAUNCH_FAILED, and whatever is wrong with the site's directories */
  start(report: (report: Report, pid: number, uid: number) => void): TemplateProcess {
    const { poller, library, log, housekeeper } = this.#around;
    const { site } = this.#owner;
    const directories = this.#around.prepare(site);
    const requireConfinement = this.#around.requireConfinement();
    const supplies = this.#lane.forTemplate();
    const cgroup = this.#around.groups.enter(this.#owner);
    const setup = { site, directories, library, requireConfinement, housekeeper, supplies, cgroup };
    this.isReady = false;
    this.hasForked = false;
    this.#around.expectOrphans(site.user.uid);
    try {
      this.process = new TemplateProcess(poller, setup, {
        report,
        // The end of the process itself is what counts, and it follows: see SiteRuntime.childDied.
        lost: () => undefined,
      });
    } finally {
      if (cgroup >= 0) close(cgroup);
    }
    this.#lives.templates++;
    log.debug({ site: site.name, pid: this.process.pid }, 'template started');
    return this.process;
  }

  /** Its process has ended. */
  release(): void {
    this.process?.release();
    this.process = undefined;
  }

  /** A worker is being started. */
  stay(): void {
    clearTimeout(this.#timer);
  }

  /** The last worker has gone. `mustStay`: asked when the time has come. */
  endLater(isClosing: boolean, mustStay: () => boolean): void {
    clearTimeout(this.#timer);
    if (this.process === undefined) return;
    if (isClosing) {
      this.process.retire();
      return;
    }
    this.#timer = setTimeout(() => {
      if (mustStay()) this.endLater(false, mustStay);
      else this.process?.retire();
    }, this.#owner.site.idleTimeoutMs * patience);
    this.#timer.unref();
  }

  /** No further request is to be taken. */
  quiet(): void {
    this.process?.quiet();
  }

  retire(): void {
    this.process?.retire();
  }

  kill(): void {
    this.process?.kill();
  }
}
