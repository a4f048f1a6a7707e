/**
 * Memory that processes share which do not trust each other. Its size is sealed, memfd_create(2): a process that could
 * make it smaller would end every other one that reads it. What lies in it may change at any moment.
 */

import { addon } from './addon.js';
import { checked } from './syscall.js';

/**
 * New memory of `bytes` bytes, all zero, as a descriptor. `name` is for people who look into /proc.
 *
 * @throws GuiseError SYSCALL_FAILED
 */
export function sharedMemory(name: string, bytes: number): number {
  return checked(addon.sharedMemory(name, bytes), 'memfd_create', `Shared memory ${name}`);
}

/**
 * All of it, mapped for reading and writing as long as somebody holds the result. The descriptor stays the caller's.
 *
 * @throws GuiseError SYSCALL_FAILED, EPERM for memory that is not sealed
 */
export function mapSharedMemory(fd: number): ArrayBuffer {
  const mapped = addon.mapSharedMemory(fd);
  if (typeof mapped === 'number') checked(mapped, 'mmap', `Descriptor ${fd}`);
  return mapped as ArrayBuffer;
}
