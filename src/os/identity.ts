/**
 * Users and groups of the system (through the C library, so LDAP and the like count), and the one-way change of
 * this whole process to another user.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { GuiseError } from '../error.js';
import { addon, type NativeIdentity } from './addon.js';
import { errnoName } from './errno.js';
import { checked } from './syscall.js';

export interface UserEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** Every group of the user, the primary one included: getgrouplist(3). */
  readonly groups: number[];
}

/** @throws GuiseError SYSCALL_FAILED when the user database cannot be asked */
export function userByName(name: string): UserEntry | undefined {
  return found(addon.userByName(name), 'getpwnam_r', `User ${name}`);
}

/** @throws GuiseError SYSCALL_FAILED when the user database cannot be asked */
export function userByUid(uid: number): UserEntry | undefined {
  return found(addon.userByUid(uid), 'getpwuid_r', `User ${uid}`);
}

/** A user as people know it: `alice (uid 1001)`, or `uid 1001` for a number without a name. */
export function ownerName(uid: number): string {
  const name = userByUid(uid)?.name;
  return name === undefined ? `uid ${uid}` : `${name} (uid ${uid})`;
}

/** @throws GuiseError SYSCALL_FAILED when the group database cannot be asked */
export function groupByName(name: string): { name: string; gid: number } | undefined {
  return found(addon.groupByName(name), 'getgrnam_r', `Group ${name}`);
}

/** @throws GuiseError SYSCALL_FAILED when the group database cannot be asked */
export function groupName(gid: number): string | undefined {
  return found(addon.groupByGid(gid), 'getgrgid_r', `Group ${gid}`)?.name;
}

function found<T extends object>(entry: T | number, syscall: string, about: string): T | undefined {
  if (typeof entry === 'object') return entry;
  checked(entry, syscall, about);
  return undefined;
}

/**
 * Makes the whole process, every thread of it, that user for good: groups, gid, uid, no capabilities,
 * no_new_privs; then proves that there is no way back. A process in which this threw is in no defined state and
 * must end.
 *
 * no_new_privs belongs to a thread, and Node has several before any of our code runs: the process must have been
 * launched with `noNewPrivileges`, else the proof fails.
 *
 * @throws GuiseError NOT_PERMITTED with `step` (identity, groups, gid, uid, capabilities, no_new_privs, proof,
 * threads) and `errno`
 */
export function becomeUser(id: { uid: number; gid: number; groups: readonly number[] }): void {
  const result = addon.becomeUser(id);
  if (result !== 0) {
    const { step, syscall, errno } = result;
    const text = `Cannot become user ${id.uid}: failed at step ${step} (${syscall}: ${errnoName(errno)})`;
    throw new GuiseError('NOT_PERMITTED', text, { step, syscall, errno });
  }
  for (const thread of readdirSync('/proc/self/task')) proveThread(thread, id);
}

/** What proc(5) must say about a thread that has no way back. */
function proveThread(thread: string, id: NativeIdentity): void {
  const none = '0000000000000000';
  const expected: readonly [string, string][] = [
    ['Uid', four(id.uid)],
    ['Gid', four(id.gid)],
    ['Groups', [...new Set(id.groups)].sort((a, b) => a - b).join(' ')],
    ['CapInh', none],
    ['CapPrm', none],
    ['CapEff', none],
    ['CapAmb', none],
    ['NoNewPrivs', '1'],
  ];
  const status = threadStatus(thread);
  if (status === undefined) return;
  for (const [field, value] of expected) {
    const seen = status.get(field);
    if (seen === value) continue;
    const text = `Cannot become user ${id.uid}: thread ${thread} has ${field} ${seen ?? '(none)'}, expected ${value}`;
    throw new GuiseError('NOT_PERMITTED', text, { step: 'threads' });
  }
}

/** Real, effective, saved and file-system id. */
function four(id: number): string {
  return [id, id, id, id].join('\t');
}

/** The fields of a thread's status, or undefined when the thread has ended since it was listed. */
function threadStatus(thread: string): Map<string, string> | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw thrown;
  }
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}
