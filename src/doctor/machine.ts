/** Figures of this machine, as /proc and the file systems tell them. Everything is asked at the moment of the call. */

import { closeSync, openSync, readdirSync, readFileSync, readSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Config } from '../config/config.js';
import { type LandlockSupport, landlockSupport } from '../os/landlock.js';
import { type GroupOutlook, groupOutlook } from '../site/group-outlook.js';

export interface ProcessFacts {
  readonly pid: number;
  /** The title or the arguments, blanks between them. */
  readonly title: string;
}

export interface Room {
  readonly freeBytes: number;
  readonly sizeBytes: number;
  readonly freeInodes: number;
  readonly inodes: number;
}

/** Given to checks, so that a test can tell them of another machine. */
export interface Machine {
  readonly memoryBytes: () => number;
  readonly nowMs: () => number;
  readonly landlock: () => LandlockSupport;
  readonly pidMax: () => number;
  readonly threadsMax: () => number;
  readonly processes: () => readonly ProcessFacts[];
  /** The limits of open files of a process; undefined when it is gone. */
  readonly openFiles: (pid: number) => { readonly soft: number; readonly hard: number } | undefined;
  /** Memory that is a process's own, in bytes; undefined when it is gone. */
  readonly ownMemory: (pid: number) => number | undefined;
  readonly room: (path: string) => Room | undefined;
  /** Directories that hold php-fpm's pools. */
  readonly poolDirectories: () => readonly string[];
  readonly logrotateDirectory: string;
  /** What control groups do for the sites of this instance. */
  readonly groups: (config: Config) => GroupOutlook;
}

export const thisMachine: Machine = {
  memoryBytes: totalmem,
  nowMs: Date.now,
  landlock: landlockSupport,
  pidMax: () => Number(text('/proc/sys/kernel/pid_max')),
  threadsMax: () => Number(text('/proc/sys/kernel/threads-max')),
  processes,
  openFiles: (pid) => {
    const match = /^Max open files\s+(\d+)\s+(\d+)/m.exec(text(`/proc/${pid}/limits`));
    return match === null ? undefined : { soft: Number(match[1]), hard: Number(match[2]) };
  },
  ownMemory: (pid) => {
    const kib = number(/^RssAnon:\s+(\d+)/m.exec(text(`/proc/${pid}/status`)));
    return kib === undefined ? undefined : kib * 1024;
  },
  room,
  poolDirectories: () => directories('/etc/php').map((version) => `/etc/php/${version}/fpm/pool.d`),
  logrotateDirectory: '/etc/logrotate.d',
  groups: groupOutlook,
};

function text(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function number(match: RegExpExecArray | null): number | undefined {
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function directories(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function processes(): ProcessFacts[] {
  return directories('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), title: beginning(`/proc/${name}/cmdline`) }));
}

/** A process may have arguments without end. */
function beginning(file: string): string {
  const buffer = Buffer.alloc(4096);
  try {
    const fd = openSync(file, 'r');
    try {
      const length = readSync(fd, buffer, 0, buffer.length, 0);
      return buffer.toString('latin1', 0, length).replaceAll('\0', ' ').trim();
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

function room(path: string): Room | undefined {
  try {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(path);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize, freeInodes: ffree, inodes: files };
  } catch {
    return undefined;
  }
}
