/** The one table of exit codes. docs/reference/exit-codes.md is tested against it. */

import type { ErrorCode } from '../error.js';

export const exitCodes = {
  OK: 0,
  PROBLEMS: 1,
  USAGE: 2,
  NOT_RUNNING: 3,
  NOT_PERMITTED: 4,
  CONFIG: 5,
  ALREADY_RUNNING: 6,
  SITE: 7,
  SYSTEM: 8,
  BUG: 70,
} as const;

/** Which code a command ends with when it failed with that error. */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  USAGE: exitCodes.USAGE,
  BAD_REQUEST: exitCodes.USAGE,
  NOT_RUNNING: exitCodes.NOT_RUNNING,
  NOT_PERMITTED: exitCodes.NOT_PERMITTED,
  TOO_MANY: exitCodes.NOT_PERMITTED,
  CONFIG_INVALID: exitCodes.CONFIG,
  CONFIG_UNREADABLE: exitCodes.CONFIG,
  ALREADY_RUNNING: exitCodes.ALREADY_RUNNING,
  SITE_INVALID: exitCodes.SITE,
  SITE_UNKNOWN: exitCodes.SITE,
  REQUEST_UNKNOWN: exitCodes.SITE,
  SITE_EXISTS: exitCodes.SITE,
  LAUNCH_FAILED: exitCodes.SYSTEM,
  SYSCALL_FAILED: exitCodes.SYSTEM,
  SETUP_FAILED: exitCodes.SYSTEM,
};
