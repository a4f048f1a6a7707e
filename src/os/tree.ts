/** The processes below another one, as /proc shows them. */

import { closeSync, constants, openSync } from 'node:fs';
import { addon } from './addon.js';
import { errno } from './errno.js';
import { checked } from './syscall.js';

/** The pids of a process's children, dead but uncollected ones included; none when it is gone. */
export function childrenOf(pid: number): number[] {
  const found = addon.childrenOf(pid);
  return typeof found === 'number' ? [] : found;
}

export interface Hunt {
  /** Children that are left alone. */
  readonly spare: readonly number[];
  /** Only processes that these users have started, by their real uid; an empty list stands for everybody. */
  readonly uids: readonly number[];
  /** Looks again and again for so long, as long as there is somebody. */
  readonly budgetMs: number;
}

/**
 * Kills the children of a process, each through its pidfd and only while it is still that process's child. Their own
 * children become those of the nearest subreaper above them, so where that is `parent` itself the whole tree goes.
 *
 * @returns how many were found the last time it looked: 0 when nothing is left
 */
export function endChildren(parent: number, { spare, uids, budgetMs }: Hunt): number {
  const found = addon.endChildren(parent, Int32Array.from(spare), Int32Array.from(uids), budgetMs * 1000);
  return found === -errno.ESRCH ? 0 : checked(found, 'pidfd_send_signal', `Ending what is below ${parent}`);
}

/**
 * A descriptor of the list of a process's children, for one that may not open files in /proc itself: see
 * proc_pid_task_tid_children(5). -1 where the kernel has no such lists, or the process is gone.
 */
export function openChildList(pid: number): number {
  const path = `/proc/${pid}/task/${pid}/children`;
  try {
    return openSync(path, constants.O_RDONLY);
  } catch {
    return -1;
  }
}

/** Lets go of what openChildList gave. */
export function closeChildList(fd: number): void {
  if (fd >= 0) closeSync(fd);
}
