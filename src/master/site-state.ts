/**
 * What a site keeps between requests, and how it goes: the directory for temporary files, which may be a file system
 * of its own, and the directories of a site that has been removed.
 *
 * Privilege: root, and only in directories that nobody else can write. What lies in a tenant's directories is never
 * looked at here: see housekeeper.ts.
 */

import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { mountsBelow, mountTmpfs, resizeTmpfs, unmount } from '../os/mount.js';
import type { Site } from '../site/site.js';

const pageBytes = 4096;

/** Whether a file system of its own is mounted there. */
export function isMounted(directory: string): boolean {
  return statSync(directory).dev !== statSync(dirname(directory)).dev;
}

/**
 * Gives the directory for temporary files the size that the site's file asks for, or none.
 *
 * @throws GuiseError SYSCALL_FAILED where root may not mount
 */
export function sizeTmp(directory: string, site: Site): void {
  const { uid, gid } = site.user;
  const bytes = Math.ceil(site.tmpSizeBytes / pageBytes) * pageBytes;
  const mounted = isMounted(directory);
  if (bytes === 0) {
    if (mounted) unmount(directory);
    return;
  }
  if (mounted) {
    const { blocks, bsize } = statfsSync(directory);
    if (blocks * bsize === bytes || resizeTmpfs(directory, { bytes, uid, gid })) return;
    // Too much lies there for the new size: processes that run keep it, the next ones begin with an empty one.
    unmount(directory);
  }
  mountTmpfs(directory, { bytes, uid, gid });
}

/** Undefined where the directory has no size of its own, or is not there yet. */
export function tmpUsage(directory: string): { used: number; size: number } | undefined {
  if (!existsSync(directory) || !isMounted(directory)) return undefined;
  const { blocks, bfree, bsize } = statfsSync(directory);
  return { used: (blocks - bfree) * bsize, size: blocks * bsize };
}

/** After the last process has gone. */
export function releaseTmp(stateDirectory: string): void {
  for (const place of mountsBelow(`${stateDirectory}/sites`)) unmount(place);
}

/** Where the directories of removed sites wait until they are empty. */
export function discardedDirectory(stateDirectory: string): string {
  return `${stateDirectory}/discarded`;
}

/**
 * Puts the directories of a removed site out of the way, so that a new site of that name begins with its own.
 *
 * @returns where they are now; undefined when there were none
 */
export function discardState(stateDirectory: string, name: string): string | undefined {
  const directory = `${stateDirectory}/sites/${name}`;
  if (!existsSync(directory)) return undefined;
  for (const place of mountsBelow(directory)) unmount(place);
  const discarded = discardedDirectory(stateDirectory);
  // Whoever owns what lies there empties it, and must get there.
  mkdirSync(discarded, { recursive: true, mode: 0o711 });
  const place = `${discarded}/${name}.${Date.now().toString(36)}`;
  renameSync(directory, place);
  chmodSync(place, 0o711);
  return place;
}

/** What an earlier daemon, or a removal without one, has left to be emptied. */
export function discardedStates(stateDirectory: string): string[] {
  const discarded = discardedDirectory(stateDirectory);
  return existsSync(discarded) ? readdirSync(discarded).map((name) => `${discarded}/${name}`) : [];
}
