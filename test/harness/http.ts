/** A small HTTP client: a page by port and host name, over HTTP/1.1, HTTP/2 without TLS, or raw bytes. */

import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  text(): string;
  json(): unknown;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** A stream is sent chunked unless the headers name its length. */
  readonly body?: Buffer | string | Readable;
  /** Takes the answer's bytes as they come, instead of `Reply.body`. */
  readonly onData?: (chunk: Buffer) => void;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Where a site is reached: a loopback port and the name for the Host header. */
export interface Address {
  readonly port: number;
  readonly host: string;
}

function reply(status: number, headers: IncomingHttpHeaders, chunks: readonly Buffer[]): Reply {
  const body = Buffer.concat(chunks);
  return {
    status,
    headers,
    body,
    text: () => body.toString(),
    json: () => JSON.parse(body.toString()) as unknown,
  };
}

/** One request on a connection of its own. Rejects when the connection breaks before the answer is complete. */
export async function get({ port, host }: Address, path: string, ask: Ask = {}): Promise<Reply> {
  const deadline = AbortSignal.timeout(ask.deadlineMs ?? 30_000);
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path,
    method: ask.method ?? (ask.body === undefined ? 'GET' : 'POST'),
    headers: { host, connection: 'close', ...ask.headers },
    agent: false,
    signal: ask.signal === undefined ? deadline : AbortSignal.any([deadline, ask.signal]),
  });
  if (typeof ask.body === 'object' && !Buffer.isBuffer(ask.body)) ask.body.pipe(outgoing);
  else outgoing.end(ask.body);
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) =>
        ask.onData === undefined ? chunks.push(chunk) : ask.onData(chunk),
      );
      incoming.once('error', reject);
      incoming.once('end', () => resolve(reply(incoming.statusCode ?? 0, incoming.headers, chunks)));
    });
  });
}

/** One request over HTTP/2 with prior knowledge (h2c). */
export async function get2({ port, host }: Address, path: string, body?: Buffer): Promise<Reply> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ':path': path,
      ':authority': host,
      ':method': body === undefined ? 'GET' : 'POST',
    });
    stream.setTimeout(30_000, () => stream.destroy(new Error('no answer over HTTP/2 within 30 s')));
    const failed = once(session, 'error').then(([error]) => Promise.reject(error as Error));
    stream.end(body);
    const [headers] = (await Promise.race([once(stream, 'response'), failed])) as [
      IncomingHttpHeaders & { ':status'?: number },
    ];
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return reply(headers[':status'] ?? 0, headers, chunks);
  } finally {
    session.destroy();
  }
}

/** Sends bytes as they are and answers with everything that comes back until the peer closes. */
export async function raw(port: number, bytes: string | Buffer, deadlineMs = 30_000): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`silent for ${deadlineMs} ms`)));
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}
