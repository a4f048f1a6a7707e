/**
 * What a server costs: processor time and memory of everything below its processes, read from /proc and split by
 * kind. The time of processes that ended is found at the parent that waited for them, so nothing short-lived is lost.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { type ProcessEntry, processTree } from '../../src/quickstart/processes.js';

export type Kind = 'web' | 'router' | 'master' | 'workers';
export const kinds: readonly Kind[] = ['web', 'router', 'master', 'workers'];

export type ByKind = Readonly<Record<Kind, number>>;

/** A process that was started, and what it and its descendants count as. */
export interface Accounted {
  readonly pid: number;
  /** Depth 0 is the started process itself. */
  readonly kindOf: (entry: ProcessEntry, depth: number) => Kind;
  /** Where the time of children counts that a process waited for; the same as the parent's unless said otherwise. */
  readonly endedKindOf?: (parent: Kind) => Kind;
}

const msPerTick = 10;

function none(): Record<Kind, number> {
  return { web: 0, router: 0, master: 0, workers: 0 };
}

/** Processor time so far in ms. */
export function cpuMs(roots: readonly Accounted[]): ByKind {
  const sum = none();
  for (const root of roots) {
    const ended = root.endedKindOf ?? ((kind: Kind): Kind => kind);
    for (const { entry, depth } of processTree(root.pid)) {
      const spent = times(entry.pid);
      const kind = root.kindOf(entry, depth);
      sum[kind] += spent.own;
      sum[ended(kind)] += spent.ended;
    }
  }
  return sum;
}

/**
 * Time of a process so far, and of the children that it waited for, in ms. The first is exact: hundreds of workers with
 * a few requests each would all stay below the clock tick of /proc/PID/stat. Zero for a process that is gone.
 */
function times(pid: number): { own: number; ended: number } {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((id) =>
      runTimeNs(`/proc/${pid}/task/${id}/schedstat`),
    );
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is a name in parentheses that may hold blanks: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ended = (Number(fields[13]) + Number(fields[14])) * msPerTick;
    return { own: threads.reduce((sum, ns) => sum + ns, 0) / 1e6, ended };
  } catch {
    return { own: 0, ended: 0 };
  }
}

/** The first number of a schedstat file; zero for a thread that has just ended. */
function runTimeNs(file: string): number {
  try {
    return Number(readFileSync(file, 'latin1').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** Proportional memory (PSS) in KiB: shared pages count in equal parts to those who share them. */
export function pssKb(roots: readonly Accounted[]): ByKind {
  const sum = none();
  for (const root of roots) {
    for (const { entry, depth } of processTree(root.pid)) sum[root.kindOf(entry, depth)] += pss(entry.pid);
  }
  return sum;
}

function pss(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

export function total(amounts: ByKind): number {
  return kinds.reduce((sum, kind) => sum + amounts[kind], 0);
}

export function difference(after: ByKind, before: ByKind): ByKind {
  const result = none();
  for (const kind of kinds) result[kind] = after[kind] - before[kind];
  return result;
}

/** A web server's tree: all of it is the web server. */
export function webServer(pid: number): Accounted {
  return { pid, kindOf: () => 'web' };
}

/** A tree in which everything is PHP, its manager too, as php-fpm's. */
export function phpManager(pid: number): Accounted {
  return {
    pid,
    kindOf: (_, depth) => (depth === 0 ? 'master' : 'workers'),
    endedKindOf: () => 'workers',
  };
}

/** guise: master, router, and templates with their workers. */
export function guiseDaemon(pid: number, routerUid: number): Accounted {
  return {
    pid,
    kindOf: (entry, depth) => (depth === 0 ? 'master' : entry.uid === routerUid ? 'router' : 'workers'),
    endedKindOf: () => 'workers',
  };
}
