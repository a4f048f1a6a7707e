/** The table of refusals that reading itself can come to. */
import { ProtocolStatus } from '../fastcgi/constants.js';
import { errno } from '../os/errno.js';
import type { Head } from './head.js';
import type { Refusal, RefusalReason } from './result.js';

const statusOf: Readonly<Record<RefusalReason, Refusal['status']>> = {
  'unknown-role': 501,
  'malformed-params': 400,
  'too-many-params': 431,
  'params-too-large': 431,
  'body-too-large': 413,
  'body-cut-short': 400,
  'spool-full': 507,
  'spool-failed': 500,
};

const full: ReadonlySet<number> = new Set([errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM]);

/** Why a body could not be stored, from what the kernel said. */
export function spoolReason(failure: number): RefusalReason {
  return full.has(failure) ? 'spool-full' : 'spool-failed';
}

export interface Refused {
  readonly requestId: number;
  readonly keep: boolean;
  readonly head: Head | undefined;
}

export function refusal(refused: Refused, reason: RefusalReason, failure = 0): Refusal {
  return {
    kind: 'refuse',
    status: statusOf[reason],
    reason,
    protocolStatus: reason === 'unknown-role' ? ProtocolStatus.UNKNOWN_ROLE : ProtocolStatus.REQUEST_COMPLETE,
    requestId: refused.requestId,
    keep: refused.keep,
    head: refused.head,
    errno: failure,
  };
}
