/**
 * What a caller without an administrator's rights says, read without an HTTP parser: one request line and headers that
 * nobody looks at, together no larger than a page, and no body. The process is root and the caller may be a tenant's
 * script, so what he can make this process do with his bytes is this file and no more.
 */

import type { Socket } from 'node:net';

export const mostRequestBytes = 4096;

export interface SmallRequest {
  readonly method: string;
  readonly path: string;
}

/** What is wrong with a request, in words for its sender. */
export interface Breach {
  readonly breach: string;
  /** It is HTTP, and it is not this caller's to say. */
  readonly isForbidden?: true;
}

const requestLine = /^([A-Z]{1,10}) (\/[\x21-\x7e]{0,500}) HTTP\/1\.[01]$/;

/** @param head everything up to the empty line, without it */
export function parseSmallRequest(head: string): SmallRequest | Breach {
  const [first = '', ...headers] = head.split('\r\n');
  const [, method, path] = requestLine.exec(first) ?? [];
  if (method === undefined || path === undefined)
    return { breach: 'this is not HTTP that guise understands' };
  const hasBody = headers.some((line) => /^(transfer-encoding|content-length)\s*:(?!\s*0\s*$)/i.test(line));
  return hasBody
    ? { breach: 'only administrators may send a body, and so change anything', isForbidden: true }
    : { method, path };
}

/** Calls `then` once, when a request is complete or cannot become one. What comes afterwards is dropped. */
export function readSmallRequest(socket: Socket, then: (request: SmallRequest | Breach) => void): void {
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk.subarray(0, mostRequestBytes + 1)]);
    const end = received.indexOf('\r\n\r\n');
    if (end < 0 && received.length <= mostRequestBytes) return;
    socket.off('data', onData).resume();
    const isWhole = end >= 0 && end <= mostRequestBytes;
    then(
      isWhole
        ? parseSmallRequest(received.toString('latin1', 0, end))
        : { breach: `the request is larger than ${mostRequestBytes} bytes` },
    );
  };
  socket.on('data', onData);
}
