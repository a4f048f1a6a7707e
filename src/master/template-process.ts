/**
 * One site's template: started under the site's identity, then told to fork workers. Reports come from a process
 * that the site's user controls: they are read with fixed sizes, concern only workers ordered here, and a worker's
 * pid is the one that the kernel attached to its own report.
 *
 * Privilege: root, until the launcher has become the site's user.
 */

import { Channel } from '../control/channel.js';
import {
  type ForkOrder,
  orderBytes,
  type Report,
  readReport,
  reportBytes,
  writeCloseOrder,
  writeForkOrder,
  writeListOrder,
} from '../control/template-messages.js';
import { type LandlockRules, launch } from '../os/launch.js';
import type { Poller } from '../os/poller.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { close, passCredentials, seqpacketPair, setBlocking, unconnectedSocket } from '../os/socket.js';
import { openChildList } from '../os/tree.js';
import type { Site } from '../site/site.js';
import { confinementOf } from './confinement.js';
import type { Housekeeper } from './housekeeper.js';
import type { TemplateSupplies } from './lane.js';
import type { SiteDirectories } from './layout.js';
import { phpCommand, writeLockedSettings } from './php-command.js';
import { restraintsOf } from './restraints.js';

/** Orders that may wait for a template that does not read them; then it is given up. */
const maxWaiting = 1000;

export interface TemplateSetup {
  readonly site: Site;
  readonly directories: SiteDirectories;
  /** The preload library that site users can read. */
  readonly library: string;
  /** A site that asks for Landlock does not start without it. */
  readonly requireConfinement: boolean;
  readonly housekeeper: Housekeeper;
  /** What its lane gives it; the descriptors stay the lane's. */
  readonly supplies: TemplateSupplies;
  /** The site's control group, or -1; stays the caller's. */
  readonly cgroup: number;
}

export interface TemplateHandlers {
  /** `pid` and `uid` are the sender's, vouched for by the kernel. */
  report(report: Report, pid: number, uid: number): void;
  /** The channel ended: the process has died, or talks nonsense and has been killed. */
  lost(): void;
}

export class TemplateProcess {
  readonly pid: number;
  readonly #pidfd: number;
  readonly #channel: Channel;
  readonly #order = Buffer.alloc(orderBytes);
  readonly #endHousekeeping: () => void;

  /** @throws GuiseError LAUNCH_FAILED with the step that failed, NOT_PERMITTED or SITE_INVALID: see confinement.ts */
  constructor(poller: Poller, setup: TemplateSetup, handlers: TemplateHandlers) {
    const { site, directories, library, requireConfinement, housekeeper } = setup;
    writeLockedSettings(site, directories);
    const landlock = confinementOf(site, directories, library, requireConfinement);
    const [ours, theirs] = seqpacketPair();
    try {
      this.pid = start(setup, landlock, theirs);
    } catch (thrown) {
      close(ours);
      throw thrown;
    } finally {
      close(theirs);
    }
    this.#pidfd = pidfdOpen(this.pid);
    this.#endHousekeeping = housekeeper.attend(site, directories.tmp, landlock);
    passCredentials(ours);
    const buffer = Buffer.allocUnsafe(reportBytes * 2);
    this.#channel = new Channel(poller, ours, buffer, maxWaiting, {
      message: (bytes, length, info) => {
        for (let i = 1; i <= (info[0] ?? 0); i++) close(info[i] ?? -1); // a report carries none
        const report = readReport(bytes, length);
        if (report === undefined) this.kill();
        else handlers.report(report, info[5] ?? -1, info[6] ?? -1);
      },
      ended: () => {
        this.kill();
        handlers.lost();
      },
    });
    this.#giveList();
  }

  /** For the case that the master is gone: a confined process cannot open it itself. */
  #giveList(): void {
    const list = openChildList(this.pid);
    if (list < 0) return;
    writeListOrder(this.#order);
    this.#channel.send(this.#order, orderBytes, list);
  }

  /** Orders a worker; `channel` is its end of its job channel, taken over, or -1. False: the template is lost. */
  fork(order: ForkOrder, channel: number): boolean {
    writeForkOrder(this.#order, order);
    return this.#channel.send(this.#order, orderBytes, channel);
  }

  /** Connections that it keeps for its workers end. */
  quiet(): void {
    writeCloseOrder(this.#order);
    this.#channel.send(this.#order, orderBytes);
  }

  /** It reaps its last workers and ends by itself. */
  retire(): void {
    this.#endHousekeeping();
    this.#channel.close();
  }

  kill(): void {
    pidfdSignal(this.#pidfd, 9);
  }

  /** After its death. */
  release(): void {
    this.#endHousekeeping();
    this.#channel.close();
    close(this.#pidfd);
  }
}

function start(setup: TemplateSetup, landlock: LandlockRules | undefined, channel: number): number {
  const { site, directories, library, supplies } = setup;
  const { uid, gid, groups } = site.user;
  const command = phpCommand(site, directories, library);
  setBlocking(channel, true);
  const unconnected = unconnectedSocket();
  const { listener, shared } = supplies;
  try {
    return launch({
      file: site.php,
      args: [...command.args],
      env: { ...command.env, ...supplies.env },
      cwd: site.root,
      descriptors: [listener < 0 ? unconnected : listener, -1, -1, channel, ...(shared < 0 ? [] : [shared])],
      identity: { uid, gid, groups },
      ...restraintsOf(site),
      newSession: true,
      ...(setup.cgroup < 0 ? {} : { cgroup: setup.cgroup }),
      ...(landlock === undefined ? {} : { landlock }),
    }).pid;
  } finally {
    close(unconnected);
  }
}
