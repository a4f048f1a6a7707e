/** Numbers about one process, from /proc. All throw when it is gone. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** User and system time together, in clock ticks of 10 ms. */
export function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is a name in parentheses that may hold blanks: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function statusNumber(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

/** The most memory it ever had, in KiB. */
export const peakMemoryKb = (pid: number): number => statusNumber(pid, 'VmHWM');

/** Memory that is its own: neither files nor shared memory, in KiB. */
export const ownMemoryKb = (pid: number): number => statusNumber(pid, 'RssAnon');

/** How often it got or lost the processor: stands still while a process sleeps. */
export const switches = (pid: number): number =>
  statusNumber(pid, 'voluntary_ctxt_switches') + statusNumber(pid, 'nonvoluntary_ctxt_switches');

/** What each open descriptor is, as in `ls -l /proc/PID/fd`. */
export function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return 'closed meanwhile';
    }
  });
}

/** Effective capabilities as a hexadecimal number; zeros for none. */
export function capabilities(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return /^CapEff:\s+(\S+)/m.exec(status)?.[1] ?? '';
}
