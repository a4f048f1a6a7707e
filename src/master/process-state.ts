/**
 * What the kernel says of one process: proc(5). Privilege: root, because a worker's system call is told to nobody else.
 * Numbers and names of the kernel's own are taken out of its text; the one field that a process chooses, its name, is
 * skipped.
 */

import { readFileSync } from 'node:fs';
import type { ProcessState } from '../control/router-messages.js';

/** Clock ticks of proc(5) are hundredths of a second on Linux. */
const tickMs = 10;

/** @param pid 0: of none */
export function processState(pid: number): ProcessState {
  if (pid <= 0) return {};
  const stat = told(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(told(pid, 'status'))?.[1];
  const wchan = /^[A-Za-z_][\w.]{0,63}$/.exec(told(pid, 'wchan').trim())?.[0];
  const syscall = /^(running|-?\d{1,4})/.exec(told(pid, 'syscall'))?.[1];
  return {
    ...(/^[A-Za-z]$/.test(fields[0] ?? '') ? { state: fields[0] ?? '' } : {}),
    ...(fields.length > 12
      ? { userMs: Number(fields[11]) * tickMs, systemMs: Number(fields[12]) * tickMs }
      : {}),
    ...(rss === undefined ? {} : { rssKb: Number(rss) }),
    ...(wchan === undefined ? {} : { wchan }),
    ...(syscall === undefined ? {} : { syscall: syscall === 'running' ? -1 : Number(syscall) }),
  };
}

function told(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has ended, or the kernel does not tell even root, as in some containers
  }
}
