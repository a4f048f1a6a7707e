/** Asks the web server for the page, as a visitor would, and takes no more of the answer than a page can have. */

import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { GuiseError, messageOf } from '../error.js';

export interface Fetched {
  readonly status: number;
  readonly text: string;
}

const mostBytes = 1024 * 1024;
const patienceMs = 30_000;

/**
 * @param url where to connect, with the path of the page
 * @param host the Host header, and the name in TLS
 * @throws GuiseError NOT_RUNNING when the web server does not answer
 */
export function fetchPage(
  url: URL,
  host: string,
  headers: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<Fetched> {
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown): void =>
      reject(
        new GuiseError(
          'NOT_RUNNING',
          `the web server at ${url.origin} does not answer: ${messageOf(thrown)}`,
          {
            remedy: `guise check ${host} --url http://127.0.0.1:PORT   # or start the web server`,
          },
        ),
      );
    const outgoing = request(url, {
      headers: { ...headers, host, connection: 'close' },
      agent: false,
      timeout: patienceMs,
      signal: interrupted,
      // The name's certificate is no matter of this machine asking itself.
      rejectUnauthorized: false,
      servername: host,
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error(`silent for ${patienceMs / 1000} s`)));
    outgoing.once('error', fail);
    outgoing.once('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > mostBytes) incoming.destroy(new Error('the answer is too long'));
      });
      incoming.once('error', fail);
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.end();
  });
}
