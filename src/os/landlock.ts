/** Whether programs can be held by Landlock here: see LaunchSpec.landlock. */

import { readFileSync } from 'node:fs';
import { addon } from './addon.js';
import { errno, errnoName } from './errno.js';

export interface LandlockSupport {
  /** The version of the kernel's interface, from 1 (Linux 5.13) on; 0: none. */
  readonly abi: number;
  /** Why there is none, as the end of a sentence. */
  readonly reason?: string;
}

/** The number of CAP_SYS_ADMIN, capabilities(7). */
const sysAdmin = 21n;

/**
 * Asks the kernel each time. A process that is not root is told about the kernel alone: what root may do here is
 * then not known.
 */
export function landlockSupport(): LandlockSupport {
  const abi = addon.landlockAbi();
  if (abi < 1) return { abi: 0, reason: reasonOf(-abi) };
  if (process.geteuid?.() === 0 && !hasSysAdmin()) {
    return { abi: 0, reason: 'root has no CAP_SYS_ADMIN here, as in a container' };
  }
  return { abi };
}

function reasonOf(code: number): string {
  if (code === errno.ENOSYS) return 'the kernel is older than Linux 5.13, or was built without Landlock';
  if (code === errno.EOPNOTSUPP) return 'Landlock is switched off at the start of the kernel (lsm=)';
  return `the kernel refuses to tell: ${errnoName(code)}`;
}

function hasSysAdmin(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> sysAdmin) & 1n) === 1n;
}
