/**
 * The answer to a request that is refused: an ordinary CGI answer with a short page. Nothing of the request is in
 * it, so nothing has to be escaped.
 */

import { STATUS_CODES } from 'node:http';
import { ProtocolStatus, type ProtocolStatusCode } from '../fastcgi/constants.js';
import { encodeAnswer } from '../fastcgi/encode.js';
import { type RefusalKind, type RefusalReason, refusalKinds } from './refusals.js';

/**
 * @param id stands on the page and in the log
 * @param protocolStatus of END_REQUEST; web servers look at the page only
 * @returns STDOUT and END_REQUEST records, complete
 */
export function refusalPage(
  requestId: number,
  reason: RefusalReason,
  id: string,
  protocolStatus: ProtocolStatusCode = ProtocolStatus.REQUEST_COMPLETE,
): Buffer {
  const kind: RefusalKind = refusalKinds[reason];
  const title = `${kind.status} ${STATUS_CODES[kind.status] ?? 'Error'}`;
  const says = kind.says === undefined ? '' : `<p>${kind.says}</p>`;
  const body =
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>\n` +
    `<body><h1>${title}</h1>${says}<p>Reference: ${id}</p></body></html>\n`;
  const head = [
    `Status: ${title}`,
    'Content-Type: text/html; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    ...(kind.retryAfter === undefined ? [] : [`Retry-After: ${kind.retryAfter}`]),
  ];
  return encodeAnswer(requestId, Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`), protocolStatus);
}
