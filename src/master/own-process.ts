/**
 * Starts one of guise's own unprivileged programs: as root, because its code may lie where nobody else can read it,
 * confined from its first instruction on; it becomes its user before it is given anything (os/started-as.ts).
 *
 * Privilege: root.
 */

import { fileURLToPath } from 'node:url';
import type { UserEntry } from '../os/identity.js';
import { launch } from '../os/launch.js';
import { userVariable } from '../os/started-as.js';
import { routerConfinement } from './router-confinement.js';

export interface OwnProgram {
  readonly title: string;
  /** Below src/. */
  readonly entry: string;
  readonly engineOptions: readonly string[];
  readonly user: UserEntry;
  readonly logFd: number;
  /** Its end of its channel to the master; stays the caller's. */
  readonly channel: number;
  /** The only directory that it may write to. */
  readonly writable: string;
  readonly nice?: number;
}

/** @throws GuiseError LAUNCH_FAILED */
export function startOwnProgram(program: OwnProgram): number {
  const { title, entry, engineOptions, user, logFd, channel, writable, nice } = program;
  const landlock = routerConfinement(writable);
  return launch({
    file: process.execPath,
    args: [title, ...engineOptions, fileURLToPath(new URL(`../${entry}`, import.meta.url))],
    env: { [userVariable]: `${user.uid}:${user.gid}:${user.groups.join(',')}` },
    cwd: '/',
    descriptors: [-1, logFd, logFd, channel],
    limits: { core: 0 },
    umask: 0o077,
    noNewPrivileges: true, // before the program starts, so that every thread of it has it
    newSession: true,
    ...(nice === undefined ? {} : { nice }),
    ...(landlock === undefined ? {} : { landlock }),
  }).pid;
}
