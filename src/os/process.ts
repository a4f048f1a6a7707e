import { readdirSync, readFileSync } from 'node:fs';
import { addon } from './addon.js';
import { errno } from './errno.js';
import { checked } from './syscall.js';

/**
 * A descriptor (close-on-exec) that means this one process, even when its number is used again: pidfd_open(2).
 *
 * @throws GuiseError SYSCALL_FAILED, errno ESRCH when there is no such process
 */
export function pidfdOpen(pid: number): number {
  return checked(addon.pidfdOpen(pid), 'pidfd_open', `Process ${pid}`);
}

/**
 * Sends a signal to exactly the process the descriptor stands for: pidfd_send_signal(2).
 *
 * @returns false when it is already gone
 * @throws GuiseError SYSCALL_FAILED for any other failure, for instance EPERM
 */
export function pidfdSignal(pidfd: number, signal: number): boolean {
  const result = addon.pidfdSignal(pidfd, signal);
  if (result === -errno.ESRCH) return false;
  checked(result, 'pidfd_send_signal', `Signal ${signal}`);
  return true;
}

/**
 * Whether this process is there and its real uid is `uid`. The kernel is asked through the pidfd, from Linux 6.13 on.
 * Before that /proc is, which costs some forty microseconds, and whose word counts only if the process that the
 * descriptor stands for has not been replaced meanwhile.
 *
 * @param pidfd this process's
 */
export function isRunBy(pid: number, pidfd: number, uid: number): boolean {
  const real = addon.pidfdRealUid(pidfd);
  if (real >= 0) return real === uid;
  return real !== -errno.ESRCH && realUidOf(pid) === uid && pidfdSignal(pidfd, 0);
}

/** The real uid of a process, or -1 when it is gone: proc(5), /proc/PID/status. */
export function realUidOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    // The first line holds the program's name, which cannot hold a line break: proc(5) escapes it.
    return Number(/^Uid:\t(\d+)/m.exec(status)?.[1] ?? -1);
  } catch {
    return -1;
  }
}

/** The pids of all processes in a session: those that its leader has started, as long as they did not leave it. */
export function sessionMembers(session: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && statField(name, 6) === session)
    .map(Number);
}

/** Processor time that a process and those that it has waited for have used, in clock ticks; -1 when it is gone. */
export function processorTicks(pid: number): number {
  const fields = statFields(String(pid));
  if (fields === undefined) return -1;
  return [14, 15, 16, 17].reduce((total, field) => total + Number(fields[field - 3] ?? 0), 0);
}

/** A field as proc(5) counts them, from the third on; -1 when the process has just gone. */
function statField(pid: string, field: number): number {
  return Number(statFields(pid)?.[field - 3] ?? -1);
}

/** The third field and all that follow. */
function statFields(pid: string): string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, chosen by the program: only the last ')' ends it.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** No core dump of our memory, and no ptrace(2) by processes of the same user: PR_SET_DUMPABLE, prctl(2). */
export function dropDumpable(): void {
  checked(addon.setDumpable(false), 'prctl', 'Refusing core dumps');
}
