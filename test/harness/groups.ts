/** A directory of control groups of version 2 for one test. Nothing of the machine's own groups is touched. */

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { groupMount, killGroup, moveInto, removeGroup } from '../../src/os/cgroup.js';
import { succeed } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import type { World } from './world.js';

/** Where groups of tests are made. */
export function groundOfTests(): string {
  const mount = groupMount();
  if (mount === undefined) throw new Error('these tests need cgroup version 2');
  return mount.point;
}

export function groupPath(label: string): string {
  return `${groundOfTests()}/guise-t-${process.pid}-${label}`;
}

/** Makes it, and sees to its removal with all that is below it then. */
export function makeGroup(world: World, label: string): string {
  const path = groupPath(label);
  mkdirSync(path);
  world.undo.push(`remove ${path}`, () => removeTree(path));
  return path;
}

export async function removeTree(path: string): Promise<void> {
  killGroup(path);
  await until(`${path} to be empty`, () => {
    for (const group of groupsBelow(path).reverse()) removeGroup(group);
    return removeGroup(path);
  });
}

/** All groups below it, parents first. */
export function groupsBelow(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [`${path}/${entry.name}`, ...groupsBelow(`${path}/${entry.name}`)]);
  } catch {
    return [];
  }
}

/** As systemd marks a group that it has delegated. */
export async function delegate(path: string): Promise<void> {
  await succeed('python3', ['-c', 'import os, sys; os.setxattr(sys.argv[1], "user.delegate", b"1")', path]);
}

/** This process, and with it what it starts, is in the group meanwhile. */
export async function within<T>(path: string, action: () => Promise<T>): Promise<T> {
  moveInto(path, process.pid);
  try {
    return await action();
  } finally {
    moveInto(groundOfTests(), process.pid);
  }
}

/** The group of a process, below the mount. */
export function groupNameOf(pid: number): string {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1] ?? '';
}
