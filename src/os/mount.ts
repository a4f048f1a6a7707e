/** Small file systems in memory, tmpfs(5), mounted at a directory of their own. */

import { readFileSync } from 'node:fs';
import { addon } from './addon.js';
import { checked } from './syscall.js';

export interface Tmpfs {
  readonly bytes: number;
  /** Who owns its top directory, which nobody else may enter. */
  readonly uid: number;
  readonly gid: number;
}

/** How many bytes of a file system there are for one file at least. Names cost memory that its size does not count. */
const bytesPerFile = 16_384;
const fewestFiles = 1024;

function optionsOf({ bytes, uid, gid }: Tmpfs): string {
  const files = Math.max(fewestFiles, Math.floor(bytes / bytesPerFile));
  return `size=${bytes},nr_inodes=${files},mode=0700,uid=${uid},gid=${gid}`;
}

/** @throws GuiseError SYSCALL_FAILED: EPERM where root may not mount, as in a container */
export function mountTmpfs(path: string, tmpfs: Tmpfs): void {
  checked(addon.mountTmpfs(path, optionsOf(tmpfs), false), 'mount', path);
}

/** @returns false when what is in it does not fit into the new size */
export function resizeTmpfs(path: string, tmpfs: Tmpfs): boolean {
  return addon.mountTmpfs(path, optionsOf(tmpfs), true) === 0;
}

/** The directory below shows again; whoever has files open in it keeps them. @throws GuiseError SYSCALL_FAILED */
export function unmount(path: string): void {
  checked(addon.unmount(path), 'umount2', path);
}

/** Every place below `directory` where something is mounted, the deepest first; from proc_pid_mountinfo(5). */
export function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => byte(octal)))
    .filter((place) => place.startsWith(`${directory}/`))
    .reverse();
}

function byte(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
