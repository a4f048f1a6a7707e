/**
 * A FastCGI client for the corners that no web server visits. It reads records with its own few lines, so that a
 * mistake in guise's decoder cannot hide itself.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TcpAddress } from '../../src/config/listen.js';
import { KEEP_CONN, RecordType, Role } from '../../src/fastcgi/constants.js';
import { encodeBeginRequest, encodeParams, encodeStdin } from '../../src/fastcgi/encode.js';
import { until } from '../../src/quickstart/until.js';
import type { Guise, Site } from './guise.js';

export interface FcgiRecord {
  readonly type: number;
  readonly id: number;
  readonly content: Buffer;
}

export class FcgiClient {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  readonly #records: FcgiRecord[] = [];
  #closed = false;
  /** What the connection has suffered: ECONNRESET, EPIPE. */
  failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (problem) => {
      this.failure = problem;
    });
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  /** Connects to a FastCGI socket by its path, or by address and port. */
  static async connect(where: string | TcpAddress): Promise<FcgiClient> {
    const socket = connect(typeof where === 'string' ? { path: where } : where);
    await once(socket, 'connect');
    return new FcgiClient(socket);
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 8) {
      const length = this.#bytes.readUInt16BE(4);
      const end = 8 + length + this.#bytes.readUInt8(6);
      if (this.#bytes.length < end) return;
      const content = Buffer.from(this.#bytes.subarray(8, 8 + length));
      this.#records.push({ type: this.#bytes.readUInt8(1), id: this.#bytes.readUInt16BE(2), content });
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  send(...parts: Buffer[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** Waits for the next record of this type, and takes everything up to it. */
  async next(type: number): Promise<FcgiRecord> {
    return until(`a FastCGI record of type ${type}`, () => {
      const at = this.#records.findIndex((record) => record.type === type);
      if (at >= 0) return this.#records.splice(0, at + 1).at(-1);
      if (this.#closed) throw new Error(`the connection was closed before a record of type ${type}`);
      return undefined;
    });
  }

  /** The answer to request `id`, up to its END_REQUEST. */
  async answer(id = 1): Promise<FcgiAnswer> {
    const end = await until(
      `the end of request ${id}`,
      () => {
        const found = this.#records.find(
          (record) => record.id === id && record.type === RecordType.END_REQUEST,
        );
        if (found === undefined && this.#closed)
          throw new Error('the connection was closed before END_REQUEST');
        return found;
      },
      30_000,
    );
    const mine = this.#records.filter((record) => record.id === id);
    const join = (type: number): string =>
      Buffer.concat(mine.filter((record) => record.type === type).map((record) => record.content)).toString(
        'latin1',
      );
    for (const record of mine) this.#records.splice(this.#records.indexOf(record), 1);
    const stdout = join(RecordType.STDOUT);
    const split = stdout.indexOf('\r\n\r\n');
    return {
      status: Number(/^Status: (\d+)/m.exec(stdout.slice(0, split))?.[1] ?? 200),
      head: stdout.slice(0, split),
      body: stdout.slice(split + 4),
      stderr: join(RecordType.STDERR),
      appStatus: end.content.readUInt32BE(0),
      protocolStatus: end.content.readUInt8(4),
    };
  }

  /** Waits until the peer has closed the connection. */
  async closed(): Promise<void> {
    await until('the peer to close the connection', () => this.#closed);
  }

  /** Anything of an answer has come. */
  get hasHeard(): boolean {
    return this.#bytes.length > 0 || this.#records.length > 0;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  end(): void {
    this.#socket.destroy();
  }
}

export interface FcgiAnswer {
  readonly status: number;
  /** Header lines of the CGI answer. */
  readonly head: string;
  readonly body: string;
  readonly stderr: string;
  readonly appStatus: number;
  readonly protocolStatus: number;
}

export type Params = Readonly<Record<string, string>>;

export interface RequestOptions {
  readonly id?: number;
  readonly keep?: boolean;
  readonly role?: number;
  readonly body?: string | Buffer;
}

/** A complete request as a web server would send it. */
export function request(params: Params, options: RequestOptions = {}): Buffer {
  const { id = 1, keep = false, role = Role.RESPONDER, body = '' } = options;
  return Buffer.concat([
    encodeBeginRequest(id, role, keep ? KEEP_CONN : 0),
    encodeParams(id, Object.entries(params)),
    encodeStdin(id, Buffer.from(body)),
  ]);
}

/** Parameters like nginx's for a page of a site, with the site's key if it has one. */
export async function paramsFor(guise: Guise, site: Site, path: string, more: Params = {}): Promise<Params> {
  const key = guise.keyOf(site.name);
  const [script = '', query = ''] = path.split('?');
  return {
    ...(key === undefined ? {} : { GUISE_KEY: key }),
    SCRIPT_FILENAME: `${site.root}${script}`,
    SCRIPT_NAME: script,
    DOCUMENT_ROOT: site.root,
    REQUEST_METHOD: 'GET',
    REQUEST_URI: path,
    QUERY_STRING: query,
    SERVER_NAME: site.name,
    HTTP_HOST: site.name,
    SERVER_PROTOCOL: 'HTTP/1.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    REMOTE_ADDR: '127.0.0.1',
    ...more,
  };
}

/** One request on a connection of its own. */
export async function askOnce(
  where: string | TcpAddress,
  params: Params,
  body: string | Buffer = '',
): Promise<FcgiAnswer> {
  const client = await FcgiClient.connect(where);
  try {
    client.send(request(params, { body }));
    return await client.answer();
  } finally {
    client.end();
  }
}
