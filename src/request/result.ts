/** What reading a request comes to. */
import type { ProtocolStatusCode } from '../fastcgi/constants.js';
import type { Head } from './head.js';
import type { StoredBody } from './spool.js';

/** A request that was read to its end. A file in `body` belongs to whoever holds this. */
export interface IncomingRequest {
  readonly head: Head;
  readonly body: StoredBody;
}

export type RefusalReason =
  | 'unknown-role'
  | 'malformed-params'
  | 'too-many-params'
  | 'params-too-large'
  | 'body-too-large'
  | 'body-cut-short'
  | 'spool-full'
  | 'spool-failed';

/** A request that cannot be served. An answer is due now, with a page: Apache makes an empty 200 of a bare refusal. */
export interface Refusal {
  readonly kind: 'refuse';
  /** HTTP status of the answer. */
  readonly status: 400 | 413 | 431 | 500 | 501 | 507;
  readonly reason: RefusalReason;
  /** For END_REQUEST. */
  readonly protocolStatus: ProtocolStatusCode;
  readonly requestId: number;
  /** The web server wants the connection kept. It may be, once 'drained' has come. */
  readonly keep: boolean;
  /** Undefined when the refusal came before the parameters were complete. */
  readonly head: Head | undefined;
  /** What the kernel said, for 'spool-full' and 'spool-failed'; else 0. */
  readonly errno: number;
}

/** What a peer did that ends its connection. */
export type Breach =
  | 'version'
  | 'begin-length'
  | 'begin-id'
  | 'duplicate-begin'
  | 'stdin-before-params'
  | 'params-after-end'
  | 'unexpected-type'
  | 'management-length'
  | 'flood'
  | 'no-progress'
  | 'drain-limit';

/**
 * - 'more': all bytes are used, nothing to do yet
 * - 'head': the parameters are complete; push the rest of the chunk, even if it is empty
 * - 'complete': the end of STDIN was read; bytes behind it stay with the caller
 * - 'refuse': answer now, and go on pushing until 'drained': a Unix socket that is closed with unread input resets the
 *   peer and can cost it the answer
 * - 'drained': the rest of a refused request has been read, or the peer has begun its next one
 * - 'aborted': ABORT_REQUEST; an END_REQUEST is due
 * - 'broken': not FastCGI, or beyond all patience: the connection must be closed
 */
export type ReadResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'head'; readonly head: Head }
  | { readonly kind: 'complete'; readonly request: IncomingRequest }
  | Refusal
  | { readonly kind: 'drained' }
  | { readonly kind: 'aborted'; readonly requestId: number; readonly keep: boolean }
  | { readonly kind: 'broken'; readonly breach: Breach };
