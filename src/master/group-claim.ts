/**
 * The control groups of an instance, made when the daemon starts: one for guise's own processes, and one that holds a
 * group for each site. Processes may only be at the ends of the tree where controllers are passed on ("no internal
 * processes", cgroups(7)), so the daemon moves into a group of its own first.
 *
 * Privilege: root. Where something is refused, guise goes on without, and says so once.
 */

import { closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Delegation, daemonGroup, sitesGroup } from '../config/delegation.js';
import { GuiseError, messageOf } from '../error.js';
import {
  type Controller,
  controllersOf,
  groupOf,
  moveInto,
  passedOnControllers,
  passOnController,
  removeGroup,
} from '../os/cgroup.js';
import { launch } from '../os/launch.js';
import { lockFile } from '../os/socket.js';

export interface GroupClaim {
  /** The directory that holds the sites' groups. */
  readonly sites: string;
  /** What those can be held to. */
  readonly controllers: readonly Controller[];
}

const without = 'no control groups: what a site starts is found by its processes';

/** @returns undefined where there are no control groups to use */
export function claimGroups(delegation: Delegation, log: Logger): GroupClaim | undefined {
  const { directory } = delegation;
  if (directory === undefined) {
    log.info({ reason: delegation.reason }, without);
    return undefined;
  }
  try {
    const { claim, refused } = makeGroups(directory);
    const { controllers } = claim;
    if (controllers.length > 0) log.info({ directory, controllers }, 'each site has a control group');
    else log.warn({ directory }, 'each site has a control group, but there are no controllers to limit it');
    for (const problem of refused) log.warn({ directory, problem }, 'a controller cannot be used for sites');
    return claim;
  } catch (thrown) {
    log.warn({ directory, problem: messageOf(thrown) }, without);
    return undefined;
  }
}

/** @throws NodeJS.ErrnoException, GuiseError */
function makeGroups(directory: string): { claim: GroupClaim; refused: string[] } {
  const sites = `${directory}/${sitesGroup}`;
  const daemon = `${directory}/${daemonGroup}`;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  demandAlone(directory);
  mkdirSync(sites, { recursive: true, mode: 0o755 });
  if (!existsSync(`${sites}/cgroup.kill`))
    throw new GuiseError('SETUP_FAILED', 'the kernel has no cgroup.kill: it needs Linux 5.14');
  if (groupOf('self') === directory) {
    mkdirSync(daemon, { recursive: true, mode: 0o755 });
    moveInto(daemon, process.pid);
  }
  const refused: string[] = [];
  for (const name of controllersOf(directory)) {
    try {
      passOnController(directory, name);
      passOnController(sites, name);
    } catch (thrown) {
      refused.push(`${name}: ${messageOf(thrown)}`);
    }
  }
  proveBirth(`${sites}/.proof`);
  return { claim: { sites, controllers: passedOnControllers(sites) }, refused };
}

/** Another instance would take our groups for leftovers. The open file holds the lock for as long as we live. */
function demandAlone(directory: string): void {
  if (!lockFile(openGroup(directory)))
    throw new GuiseError(
      'ALREADY_RUNNING',
      'another guise has its groups there: each needs a directory of its own',
    );
}

/** Containers may forbid clone3(2). */
function proveBirth(group: string): void {
  mkdirSync(group, { recursive: true });
  const fd = openGroup(group);
  try {
    launch({
      file: '/bin/true',
      args: ['true'],
      env: {},
      cwd: '/',
      descriptors: [],
      newSession: true,
      cgroup: fd,
    });
  } finally {
    closeSync(fd);
    removeGroup(group);
  }
}

/** For `LaunchSpec.cgroup`; to be closed by the caller. */
export function openGroup(group: string): number {
  return openSync(group, constants.O_RDONLY | constants.O_DIRECTORY);
}
