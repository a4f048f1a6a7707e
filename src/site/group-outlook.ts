/**
 * What control groups will do for the sites of this instance, and why not more: for `guise check` and `guise doctor`,
 * which look from outside of the daemon.
 */

import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { delegationOf, sitesGroup } from '../config/delegation.js';
import { type Controller, controllersOf, isGroup, passedOnControllers } from '../os/cgroup.js';
import type { Site } from './site.js';

export interface GroupOutlook {
  /** Absent: sites have no groups. */
  readonly directory?: string;
  readonly controllers: readonly Controller[];
  /** Why there are none, or no controllers. */
  readonly reason: string;
  readonly remedy: string;
}

export function groupOutlook(config: Config): GroupOutlook {
  const { cgroup } = config.limits;
  const pid = runningPid(config.paths.run);
  if (pid === undefined && cgroup === 'auto') {
    return {
      controllers: [],
      reason: 'guise does not run, and it is its own group that counts',
      remedy: '',
    };
  }
  const delegation = delegationOf(cgroup, pid ?? 'self');
  if (delegation.directory === undefined) {
    const { reason, remedy } = delegation;
    return { controllers: [], reason, remedy };
  }
  const { directory } = delegation;
  const sites = `${directory}/${sitesGroup}`;
  const controllers =
    pid !== undefined && isGroup(sites) ? passedOnControllers(sites) : controllersOf(directory);
  return {
    directory,
    controllers,
    reason:
      controllers.length > 0
        ? ''
        : 'the controllers cpu, memory and pids are not there: version 1 may have them',
    remedy: controllers.length > 0 ? '' : `cat ${directory}/cgroup.controllers; grep cgroup /proc/mounts`,
  };
}

/** Limits of a site that its group cannot hold it to, by the names of their keys. */
export function limitsNotHeld(site: Site, { controllers }: GroupOutlook): string[] {
  const asked: readonly (readonly [string, Controller, boolean])[] = [
    ['memory_max', 'memory', site.memoryMaxBytes > 0],
    ['cpu_weight', 'cpu', site.cpuWeight !== 100],
    ['pids_max', 'pids', site.pidsMax > 0],
  ];
  return asked.filter(([, name, isAsked]) => isAsked && !controllers.includes(name)).map(([key]) => key);
}

/** The daemon's, from its lock. It may just have ended: then it is in no group. */
function runningPid(run: string): number | undefined {
  try {
    const pid = Number(readFileSync(`${run}/guise.lock`, 'latin1'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
