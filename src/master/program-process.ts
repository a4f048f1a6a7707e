/**
 * How the program of a site that is not PHP is started, and what is done about processes that it leaves behind. Its
 * descriptor 0 is the site's listening socket, as the FastCGI specification has it (section 2.2); what it writes to
 * its other two is in the site's log.
 *
 * Privilege: root, until the launcher has become the site's user.
 */

import { constants, openSync } from 'node:fs';
import { noWorkerReason } from '../control/router-messages.js';
import { GuiseError, messageOf } from '../error.js';
import { type LandlockRules, launch } from '../os/launch.js';
import { pidfdOpen, pidfdSignal, realUidOf, sessionMembers } from '../os/process.js';
import { close } from '../os/socket.js';
import type { Site } from '../site/site.js';
import type { Housekeeper } from './housekeeper.js';
import type { Lane } from './lane.js';
import type { SiteDirectories } from './layout.js';
import type { Lives } from './lives.js';
import { restraintsOf } from './restraints.js';
import type { Grouped, SiteGroups } from './site-groups.js';
import type { WorkerBudget } from './worker-budget.js';
import type { WorkerTable } from './worker-table.js';

const SIGKILL = 9;
const SIGTERM = 15;

/** Starts programs and clears up after them. */
export interface Programs {
  /** @returns its pid. @throws GuiseError, LAUNCH_FAILED with the step that failed among others */
  start(owner: ProgramOwner, listener: number): number;
  /** It has ended and has been waited for. */
  ended(site: Site, pid: number): void;
}

/** Whose program it is. */
export type ProgramOwner = Grouped & { readonly site: Site };

export interface ProgramSurroundings {
  /** Site directories, made if they are missing. */
  prepare(site: Site): SiteDirectories;
  confinement(site: Site, directories: SiteDirectories): LandlockRules | undefined;
  readonly housekeeper: Housekeeper;
  readonly groups: Pick<SiteGroups, 'enter'>;
  /** This user's processes may be left to the master. */
  expectOrphans(uid: number): void;
}

export class SitePrograms implements Programs {
  readonly #around: ProgramSurroundings;
  readonly #endHousekeeping = new Map<number, () => void>();

  constructor(around: ProgramSurroundings) {
    this.#around = around;
  }

  start(owner: ProgramOwner, listener: number): number {
    const { site } = owner;
    const directories = this.#around.prepare(site);
    const landlock = this.#around.confinement(site, directories);
    this.#around.expectOrphans(site.user.uid);
    const cgroup = this.#around.groups.enter(owner);
    let pid: number;
    try {
      pid = start(site, directories, { listener, cgroup }, landlock);
    } finally {
      if (cgroup >= 0) close(cgroup);
    }
    this.#endHousekeeping.set(pid, this.#around.housekeeper.attend(site, directories.tmp, landlock));
    return pid;
  }

  ended(site: Site, pid: number): void {
    this.#endHousekeeping.get(pid)?.();
    this.#endHousekeeping.delete(pid);
    endSession(pid, site.user.uid);
  }
}

/** What is kept of a site's processes. */
export interface Tables {
  readonly budget: WorkerBudget;
  readonly workers: WorkerTable;
  readonly lane: Lane;
  readonly lives: Lives;
}

/**
 * Starts one more process of a site and enters it into its tables.
 *
 * @param failed is told why it could not be started
 * @returns why there is none (noWorkerReason), or undefined
 */
export function orderProgram(
  programs: Programs,
  owner: ProgramOwner,
  { budget, workers, lane, lives }: Tables,
  failed: (problem: string) => void,
): number | undefined {
  if (!budget.take(owner)) return noWorkerReason.machineLimit;
  try {
    const pid = programs.start(owner, lane.forTemplate().listener);
    const id = budget.nextWorkerId();
    workers.ordered(id, lane.forWorker(id).ours);
    workers.born(id, pid);
    lives.workers++;
    return undefined;
  } catch (thrown) {
    budget.give(owner);
    failed(messageOf(thrown));
    return noWorkerReason.startFailed;
  }
}

function start(
  site: Site,
  directories: SiteDirectories,
  { listener, cgroup }: { readonly listener: number; readonly cgroup: number },
  landlock: LandlockRules | undefined,
): number {
  const [file, ...args] = site.command ?? [];
  if (file === undefined) throw new GuiseError('SITE_INVALID', `${site.name} has no command`);
  const { uid, gid, groups } = site.user;
  const log = openSync(
    directories.programLog,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o640,
  );
  try {
    return launch({
      file,
      args: [file, ...args],
      env: environment(site, directories),
      cwd: site.root,
      descriptors: [listener, log, log],
      identity: { uid, gid, groups },
      ...restraintsOf(site),
      newSession: true,
      // Nobody would look after it: the next master has a socket of its own.
      parentDeathSignal: SIGTERM,
      ...(cgroup < 0 ? {} : { cgroup }),
      ...(landlock === undefined ? {} : { landlock }),
    }).pid;
  } finally {
    close(log);
  }
}

function environment({ user, env }: Site, { tmp }: SiteDirectories): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    TMPDIR: tmp,
    ...env,
  };
}

/** Ends what a program has started in its session, now that it has ended itself: nobody looks after that any more. */
function endSession(leader: number, uid: number): void {
  for (const pid of sessionMembers(leader)) {
    // A process with the leader's own number has come after it.
    if (pid !== leader && realUidOf(pid) === uid) kill(pid, leader);
  }
}

function kill(pid: number, session: number): void {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(pid);
  } catch {
    return;
  }
  // Only the process that the descriptor stands for, and only if it still is what was looked for.
  if (sessionMembers(session).includes(pid)) pidfdSignal(pidfd, SIGKILL);
  close(pidfd);
}
