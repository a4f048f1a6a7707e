import { GuiseError } from '../error.js';
import { errnoName } from './errno.js';

/**
 * Passes on what a native call returned, or throws when it is negative.
 *
 * @param syscall the name of the system call, as in its manual page
 * @param about what it was done to, for people: 'socket /run/guise/guise.sock'
 * @throws GuiseError SYSCALL_FAILED
 */
export function checked(result: number, syscall: string, about: string): number {
  if (result >= 0) return result;
  const text = `${about}: ${syscall} failed with ${errnoName(result)}`;
  throw new GuiseError('SYSCALL_FAILED', text, { syscall, errno: -result });
}
