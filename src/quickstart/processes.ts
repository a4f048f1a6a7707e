/** What /proc says about the processes of this machine. */

import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Real user id. */
  readonly uid: number;
  /** One letter as in ps(1); Z for a zombie. */
  readonly state: string;
  /** Arguments with blanks between them; empty for a zombie. */
  readonly command: string;
}

/** Every process that there is while the list is made. */
export function listProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry) => entry !== undefined);
}

/** Undefined when there is no such process. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (key: string): string => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(field('PPid')), uid: Number(field('Uid')), state: field('State'), command };
  } catch {
    return undefined;
  }
}

/** A process and everything below it, parents first, each with its depth. */
export function processTree(pid: number): { readonly entry: ProcessEntry; readonly depth: number }[] {
  const all = listProcesses();
  const rows: { entry: ProcessEntry; depth: number }[] = [];
  const visit = (entry: ProcessEntry | undefined, depth: number): void => {
    if (entry === undefined) return;
    rows.push({ entry, depth });
    for (const child of all) if (child.parent === entry.pid) visit(child, depth + 1);
  };
  visit(
    all.find((entry) => entry.pid === pid),
    0,
  );
  return rows;
}
