import { addon } from './addon.js';
import { checked } from './syscall.js';

export interface Death {
  readonly pid: number;
  /** What it exited with, or null when a signal ended it. */
  readonly exitCode: number | null;
  /** The signal's number, or null when it exited by itself. */
  readonly signal: number | null;
  /** CPU time of the process and of the children it has waited for, in microseconds. */
  readonly userUs: number;
  readonly systemUs: number;
  /**
   * Peak resident memory of the process, or of its largest waited-for child, in KiB. The kernel counts from the fork,
   * not from the exec: what the launching process had in memory of its own is the least this can be.
   */
  readonly maxRssKb: number;
}

const out = new Float64Array(5);

/**
 * Collects one dead child, whichever: wait4(2) with -1 and WNOHANG. To be called until it returns undefined, since
 * one SIGCHLD may stand for several deaths. A process that uses this must not use node:child_process, whose
 * children it would take away.
 */
export function reap(): Death | undefined {
  const pid = checked(addon.reap(out), 'wait4', 'Collecting dead children');
  if (pid === 0) return undefined;
  const [exitCode = 0, signal = 0, userUs = 0, systemUs = 0, maxRssKb = 0] = out;
  const killed = signal !== 0;
  return {
    pid,
    exitCode: killed ? null : exitCode,
    signal: killed ? signal : null,
    userUs,
    systemUs,
    maxRssKb,
  };
}

/** From now on orphaned descendants become our children, so that none escapes: PR_SET_CHILD_SUBREAPER, prctl(2). */
export function becomeSubreaper(): void {
  checked(addon.becomeSubreaper(), 'prctl', 'Becoming the subreaper');
}
