/**
 * The numbers of the FastCGI specification 1.0, under its names without the `FCGI_` in front.
 */

export const VERSION_1 = 1;
export const HEADER_LENGTH = 8;
/** Records with this id are about the connection, not about a request (section 3.3, management records). */
export const NULL_REQUEST_ID = 0;

export const RecordType = {
  BEGIN_REQUEST: 1,
  ABORT_REQUEST: 2,
  END_REQUEST: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
  GET_VALUES: 9,
  GET_VALUES_RESULT: 10,
  UNKNOWN_TYPE: 11,
} as const;

export const Role = { RESPONDER: 1, AUTHORIZER: 2, FILTER: 3 } as const;

/** Bits of the flags byte of BEGIN_REQUEST. */
export const KEEP_CONN = 1;

export const ProtocolStatus = {
  REQUEST_COMPLETE: 0,
  CANT_MPX_CONN: 1,
  OVERLOADED: 2,
  UNKNOWN_ROLE: 3,
} as const;

export type ProtocolStatusCode = (typeof ProtocolStatus)[keyof typeof ProtocolStatus];

/** What a web server may ask with GET_VALUES (section 4.1). */
export const Variable = {
  MAX_CONNS: 'FCGI_MAX_CONNS',
  MAX_REQS: 'FCGI_MAX_REQS',
  MPXS_CONNS: 'FCGI_MPXS_CONNS',
} as const;
