/**
 * Every failure that guise reports has a stable code, so that scripts and the manual can name it.
 * Messages are for people: they name the file, what was found, what was expected and what mends it.
 */

export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'CONFIG_UNREADABLE'
  | 'SITE_INVALID'
  | 'SITE_UNKNOWN'
  | 'SITE_EXISTS'
  | 'REQUEST_UNKNOWN'
  | 'LAUNCH_FAILED'
  | 'SYSCALL_FAILED'
  | 'ALREADY_RUNNING'
  | 'NOT_RUNNING'
  | 'NOT_PERMITTED'
  | 'BAD_REQUEST'
  | 'TOO_MANY'
  | 'SETUP_FAILED'
  | 'USAGE';

export interface ErrorDetail {
  /** The system call that failed, as in its manual page: `bind`. */
  readonly syscall?: string;
  /** The kernel's number for the failure, positive: 13 for EACCES. */
  readonly errno?: number;
  /** The named step of a longer operation, for instance of a launch: `groups`. */
  readonly step?: string;
  /** The file that is at fault, and the line in it, counted from 1. */
  readonly file?: string;
  readonly line?: number;
  /** What a person can do about it: a command or a line to write. */
  readonly remedy?: string;
}

export class GuiseError extends Error {
  override readonly name = 'GuiseError';
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
