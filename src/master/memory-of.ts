/**
 * What a process takes of the machine's memory. Privilege: root, to read /proc. Of what a process may write there itself
 * nothing is read. The process can make the kernel wait while it is looked at, so nobody else may wait with it.
 */

import { readFile } from 'node:fs/promises';

export interface ProcessMemory {
  /** Its part of the memory that it shares with others: PSS, proc_pid_smaps(5). 0: it has ended. */
  readonly bytes: number;
  /** The same, and how much larger it has once been than it is now: VmHWM, proc_pid_status(5). */
  readonly peakBytes: number;
}

export async function memoryOf(pid: number): Promise<ProcessMemory> {
  const rollup = await read(pid, 'smaps_rollup');
  const status = await read(pid, 'status');
  const bytes = kilobytes(rollup, 'Pss') * 1024;
  if (bytes === 0) return { bytes: 0, peakBytes: 0 };
  // Not VmRSS, which is of another moment: what is freed between the two readings would count twice.
  const beyond = Math.max(0, kilobytes(status, 'VmHWM') - kilobytes(rollup, 'Rss'));
  return { bytes, peakBytes: bytes + beyond * 1024 };
}

function read(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
}
