/** Answers as values and as bytes, and what a failure is to the one who asked. */

import { type ErrorCode, GuiseError, messageOf } from '../error.js';

export interface Answer {
  readonly status: number;
  /** Becomes JSON; a text that has a content type is sent as it is. */
  readonly body: unknown;
  readonly contentType?: string;
  /** The methods that there are, for 405. */
  readonly allow?: string;
}

export function refusal(status: number, code: string, message: string, remedy?: string): Answer {
  return { status, body: { error: { code, message, ...(remedy === undefined ? {} : { remedy }) } } };
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  NOT_PERMITTED: 403,
  SITE_UNKNOWN: 404,
  REQUEST_UNKNOWN: 404,
  SITE_EXISTS: 409,
  SITE_INVALID: 422,
  CONFIG_INVALID: 422,
  CONFIG_UNREADABLE: 422,
  TOO_MANY: 429,
};

/** @param onMistake told of what is a fault of guise itself */
export function failure(thrown: unknown, onMistake: ((problem: unknown) => void) | undefined): Answer {
  if (thrown instanceof GuiseError) {
    return refusal(statusOf[thrown.code] ?? 500, thrown.code, thrown.message, thrown.detail.remedy);
  }
  onMistake?.(thrown);
  return refusal(500, 'INTERNAL', `guise made a mistake: ${messageOf(thrown)}`, 'see the log of the daemon');
}

/** The body of an answer, and the headers that it needs. */
export function encode(reply: Answer): { readonly text: string; readonly headers: Record<string, string> } {
  const { contentType, body } = reply;
  const isText = contentType !== undefined && typeof body === 'string';
  const text = isText ? body : `${JSON.stringify(body, null, 2)}\n`;
  const headers = {
    'Content-Type': isText ? contentType : 'application/json',
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
    ...(reply.allow === undefined ? {} : { Allow: reply.allow }),
  };
  return { text, headers };
}

/** A whole answer as bytes, for callers who get no HTTP server. */
export function plain(reply: Answer): string {
  const { text, headers } = encode(reply);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${reply.status} ${reasons[reply.status] ?? 'Answer'}`, ...lines, '', text].join('\r\n');
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};
