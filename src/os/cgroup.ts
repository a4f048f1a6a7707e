/**
 * Control groups of version 2, as directories: cgroups(7) and the kernel's Documentation/admin-guide/cgroup-v2.rst.
 * A group is empty when no process is in it or below it; only then can its directory be removed.
 */

import { readFileSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { addon } from './addon.js';

/** The controllers that hold a whole site to something. */
export const siteControllers = ['cpu', 'memory', 'pids'] as const;
export type Controller = (typeof siteControllers)[number];

/** statfs(2), CGROUP2_SUPER_MAGIC. */
const cgroup2Magic = 0x63677270;

export interface GroupMount {
  readonly point: string;
  /** Which group is seen there; "/" outside of containers. */
  readonly root: string;
}

/** Where cgroup version 2 is mounted, from proc_pid_mountinfo(5); also beside version 1, as `unified`. */
export function groupMount(mountinfo = text('/proc/self/mountinfo')): GroupMount | undefined {
  const line = mountinfo.split('\n').find((one) => / - cgroup2 /.test(one));
  const [, , , root, point] = line?.split(' ') ?? [];
  return root === undefined || point === undefined ? undefined : { root: plain(root), point: plain(point) };
}

/** The directory of the group that a process is in; undefined when it cannot be seen, or the process is gone. */
export function groupOf(
  pid: number | 'self',
  mount = groupMount(),
  told = text(`/proc/${pid}/cgroup`),
): string | undefined {
  const group = /^0::(\/.*)$/m.exec(told)?.[1];
  // What lies outside of a namespace is shown by "..", cgroup_namespaces(7).
  if (group === undefined || mount === undefined || group.split('/').includes('..')) return undefined;
  const root = mount.root === '/' ? '' : mount.root;
  if (group !== root && !group.startsWith(`${root}/`)) return undefined;
  return `${mount.point}${group.slice(root.length)}`.replace(/\/$/, '');
}

export function isGroup(directory: string): boolean {
  try {
    return statfsSync(directory).type === cgroup2Magic;
  } catch {
    return false;
  }
}

/** Whether systemd has left it to whoever runs in it: Delegate= of systemd.resource-control(5). */
export function isDelegated(directory: string): boolean {
  return ['trusted.delegate', 'user.delegate'].some(
    (name) => addon.extendedAttribute(directory, name) === '1',
  );
}

/** Those of `siteControllers` that a group has. */
export function controllersOf(directory: string): Controller[] {
  return namedIn(`${directory}/cgroup.controllers`);
}

/** Those that the groups below it have. */
export function passedOnControllers(directory: string): Controller[] {
  return namedIn(`${directory}/cgroup.subtree_control`);
}

function namedIn(file: string): Controller[] {
  const names = text(file).trim().split(' ');
  return siteControllers.filter((name) => names.includes(name));
}

/**
 * Gives the groups below one a controller that it has itself.
 *
 * @throws NodeJS.ErrnoException EBUSY while processes are in the group itself
 */
export function passOnController(directory: string, name: Controller): void {
  writeFileSync(`${directory}/cgroup.subtree_control`, `+${name}`);
}

/** Processes in the group itself. */
export function membersOf(directory: string): number[] {
  return text(`${directory}/cgroup.procs`).split('\n').filter(Boolean).map(Number);
}

/** @throws NodeJS.ErrnoException */
export function moveInto(directory: string, pid: number): void {
  writeFileSync(`${directory}/cgroup.procs`, String(pid));
}

/** Sets one of a group's files, such as `memory.max`. @throws NodeJS.ErrnoException */
export function setOfGroup(directory: string, file: string, value: number): void {
  writeFileSync(`${directory}/${file}`, String(value));
}

/** Ends every process in the group and below it at once, forks that are under way included. Linux 5.14. */
export function killGroup(directory: string): boolean {
  try {
    writeFileSync(`${directory}/cgroup.kill`, '1');
    return true;
  } catch {
    return false;
  }
}

/** False while somebody is in it. */
export function removeGroup(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** mountinfo writes a blank as \040. */
function plain(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
