/**
 * Which record may come when: the states of a connection's incoming side × what arrives. Pure; reader.ts acts on it.
 */
import { NULL_REQUEST_ID, RecordType, Role } from '../fastcgi/constants.js';
import { BEGIN_LENGTH } from './begin.js';
import type { Breach } from './result.js';

/**
 * - 'idle': between two requests, not one byte of the next
 * - 'params': up to the end of PARAMS
 * - 'body': up to the end of STDIN
 * - 'drain': the rest of a refused request is being thrown away
 * - 'done': complete, aborted, drained or broken: `reset` or the end of the connection comes next
 */
export type Phase = 'idle' | 'params' | 'body' | 'drain' | 'done';

/** As Phase; 'begin' is the inside of BEGIN_REQUEST, 'drained' a refusal that came with the last byte. */
export type State = Phase | 'begin' | 'drained';

/** @param atBoundary no record has been begun */
export function phaseOf(state: State, atBoundary: boolean): Phase {
  if (state === 'idle') return atBoundary ? 'idle' : 'params';
  if (state === 'begin') return 'params';
  return state === 'drained' ? 'drain' : state;
}

/** What becomes of a record's content. 'last': nothing, but the record's end is the end of draining. */
export type Use = 'begin' | 'params' | 'stdin' | 'question' | 'abort' | 'last' | 'nothing';

/**
 * What to do about a record: use it, or
 * - 'begin-next': draining is over, this is the BEGIN_REQUEST of the next request
 * - 'second': a second request while one is running
 * - 'stray': it belongs to no request, or to no stream that is open
 * - 'unknown-type': likewise, and the peer is told so
 * - a Breach: close the connection
 */
export type Action = Use | 'begin-next' | 'second' | 'stray' | 'unknown-type' | Breach;

/** What becomes of the rest of a record in whose middle its request is refused. */
export function whenDraining(use: Use, contentLength: number): Use {
  if (use === 'abort' || (use === 'stdin' && contentLength === 0)) return 'last';
  return use === 'question' ? use : 'nothing';
}

interface RecordHeader {
  readonly type: number;
  readonly requestId: number;
  readonly contentLength: number;
}

/**
 * @param activeId the request that is being read, or 0
 * @param role its role
 */
export function judge(state: State, activeId: number, role: number, record: RecordHeader): Action {
  const own = record.requestId === activeId && activeId !== NULL_REQUEST_ID;
  const last = record.contentLength === 0;
  switch (record.type) {
    case RecordType.BEGIN_REQUEST:
      return judgeBegin(state, own, record);
    case RecordType.PARAMS:
      if (!own) return 'stray';
      // An authorizer has no STDIN (section 6.3), so its request ends here.
      if (state === 'drain') return last && role === Role.AUTHORIZER ? 'last' : 'nothing';
      return state === 'params' ? 'params' : 'params-after-end';
    case RecordType.STDIN:
      if (!own) return 'stray';
      if (state === 'drain') return last ? 'last' : 'nothing';
      if (state === 'params') return 'stdin-before-params';
      return state === 'body' ? 'stdin' : 'stray';
    case RecordType.ABORT_REQUEST:
      if (!own) return 'stray';
      return state === 'drain' ? 'last' : 'abort';
    case RecordType.DATA:
      return 'stray';
    case RecordType.GET_VALUES:
      return record.requestId === NULL_REQUEST_ID ? 'question' : 'unexpected-type';
    case RecordType.END_REQUEST:
    case RecordType.STDOUT:
    case RecordType.STDERR:
    case RecordType.GET_VALUES_RESULT:
    case RecordType.UNKNOWN_TYPE:
      // Only an application says these.
      return 'unexpected-type';
    default:
      return 'unknown-type';
  }
}

function judgeBegin(state: State, own: boolean, record: RecordHeader): Action {
  if (record.requestId === NULL_REQUEST_ID) return 'begin-id';
  if (record.contentLength !== BEGIN_LENGTH) return 'begin-length';
  if (state === 'idle') return 'begin';
  // Apache stops sending a body when its answer is there, and may use the connection again.
  if (state === 'drain') return 'begin-next';
  return own ? 'duplicate-begin' : 'second';
}
