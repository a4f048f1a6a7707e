/** Becomes the user that the master named, in a program that had to start as root: see identity.ts. */

import { becomeUser } from './identity.js';

/** Of the environment: uid, gid and groups, as `997:997:997,33`. */
export const userVariable = 'GUISE_ROUTER_USER';

/** @throws Error when the environment names nobody, or root; GuiseError NOT_PERMITTED */
export function becomeStartedUser(): void {
  const [uid, gid, groups] = (process.env[userVariable] ?? '').split(':');
  const numbers = [uid, gid, ...(groups ?? '').split(',')].map(Number);
  if (numbers.length < 3 || numbers.some((n) => !Number.isInteger(n) || n <= 0)) {
    throw new Error(`${userVariable} is not uid:gid:groups; this program is started by "guise daemon"`);
  }
  const [first = -1, second = -1, ...others] = numbers;
  becomeUser({ uid: first, gid: second, groups: others });
}
