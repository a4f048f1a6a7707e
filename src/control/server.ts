/**
 * The control socket: HTTP and JSON on a Unix socket, for the command line and for monitoring. The kernel says
 * who connects, and whoever may not is turned away before a byte is read. One request a connection; whatever a
 * peer does wrong costs that connection and nothing else.
 *
 * Privilege: root. It sees only what administrators send, never a byte of any visitor's request.
 */

import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type Socket } from 'node:net';
import { errorCode } from '../config/toml-file.js';
import { type ErrorCode, GuiseError, messageOf } from '../error.js';
import { groupByName } from '../os/identity.js';
import { listenUnix } from '../os/socket.js';
import type { MasterApi } from './api.js';
import { mayControl, peerOf } from './peer.js';
import { type Answer, answer, refusal } from './routes.js';

const mostBodyBytes = 256 * 1024;
const mostConnections = 64;

export interface ControlOptions {
  readonly path: string;
  /** Told of what is a fault of guise itself, and of peers turned away. */
  readonly onProblem?: (problem: unknown) => void;
  /** How long a request may take to arrive completely, and how long an answer may lie unread. */
  readonly timeoutMs?: number;
}

export interface ControlServer {
  /** Ends the listening and every connection, and removes the socket. */
  readonly close: () => Promise<void>;
}

/** Where the control socket of an instance is. */
export function controlPath(runDirectory: string): string {
  return `${runDirectory}/control.sock`;
}

/**
 * Listens at `options.path`. A socket that lies there is taken for a dead daemon's and replaced: the caller
 * holds the lock of the instance. Throws GuiseError SYSCALL_FAILED.
 */
export function startControlServer(api: MasterApi, options: ControlOptions): ControlServer {
  const timeoutMs = options.timeoutMs ?? 10_000;
  // Not listening itself, this server has no timer that checks connections, so an idle daemon sleeps.
  const http = createServer((request, response) => {
    void respond(api, request, response, options);
  });
  http.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end(plain(400, refusal(400, 'BAD_REQUEST', 'this is not HTTP that guise understands')));
    else socket.destroy();
  });
  const connections = new Set<Socket>();
  const server = createSocketServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    // Bytes that trickle in keep an inactivity timer quiet; this one they cannot.
    const deadline = setTimeout(() => socket.destroy(), timeoutMs);
    arrivals.set(socket, deadline);
    socket.on('close', () => {
      clearTimeout(deadline);
      connections.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    if (admit(api, socket, options)) http.emit('connection', socket);
    // Also where the peer was refused: unread bytes would make the kernel drop the answer.
    socket.resume();
  });
  server.maxConnections = mostConnections;
  server.on('error', (error) => options.onProblem?.(error));
  server.listen({ fd: bind(api, options.path) });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        removeSocket(options.path);
        for (const socket of connections) {
          // Whoever asked for the stop gets the answer to that, if he reads it soon.
          if (answering.has(socket)) setTimeout(() => socket.destroy(), lastWordMs).unref();
          else socket.destroy();
        }
      }),
  };
}

/** Connections whose request has arrived and is being answered. */
const answering = new WeakSet<Socket>();
const lastWordMs = 1000;

/** The timer that runs until a connection's request has arrived. */
const arrivals = new WeakMap<Socket, NodeJS.Timeout>();

function bind(api: MasterApi, path: string): number {
  removeSocket(path);
  const group = api.config().control.group;
  // From the first moment nobody else may connect: the mode is set by the mask, not afterwards.
  const mask = process.umask(0o177);
  let fd: number;
  try {
    fd = listenUnix(path, 64);
  } finally {
    process.umask(mask);
  }
  const gid = group === undefined ? undefined : groupByName(group)?.gid;
  if (gid !== undefined) {
    chownSync(path, process.geteuid?.() ?? 0, gid);
    chmodSync(path, 0o660);
  }
  return fd;
}

function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (thrown) {
    if (errorCode(thrown) !== 'ENOENT') throw thrown;
  }
}

function admit(api: MasterApi, socket: Socket, options: ControlOptions): boolean {
  const peer = peerOf(descriptorOf(socket));
  const { group } = api.config().control;
  if (peer !== undefined && mayControl(peer, group)) return true;
  const who = group === undefined ? 'root' : `root and members of the group ${group}`;
  const remedy = group === undefined ? 'run this as root' : `usermod -aG ${group} USER`;
  socket.end(plain(403, refusal(403, 'NOT_PERMITTED', `only ${who} may speak to this daemon`, remedy)));
  const found = peer === undefined ? 'an unknown peer' : `uid ${peer.uid} (pid ${peer.pid})`;
  options.onProblem?.(new GuiseError('NOT_PERMITTED', `${found} was turned away from the control socket`));
  return false;
}

/** Node has no public name for the descriptor under a socket. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd: number } };
  return handle?.fd ?? -1;
}

async function respond(
  api: MasterApi,
  request: IncomingMessage,
  response: ServerResponse,
  options: ControlOptions,
): Promise<void> {
  let reply: Answer;
  try {
    const body = await readBody(request);
    clearTimeout(arrivals.get(request.socket));
    answering.add(request.socket);
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    reply = await answer(api, request.method ?? 'GET', path, body);
  } catch (thrown) {
    if (!request.complete && !(thrown instanceof GuiseError)) return;
    reply = failure(thrown, options);
  }
  if (response.destroyed) return;
  const text = `${JSON.stringify(reply.body, null, 2)}\n`;
  response.writeHead(reply.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
    ...(reply.allow === undefined ? {} : { Allow: reply.allow }),
  });
  // An answer that nobody reads is dropped in the end.
  request.socket.setTimeout(options.timeoutMs ?? 10_000, () => request.socket.destroy());
  response.end(text);
}

/** The body as JSON. One that is too large is taken in and dropped, so that the refusal can reach its sender. */
function readBody(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= mostBodyBytes) chunks.push(chunk);
      else chunks = [];
    });
    request.on('error', reject);
    request.on('end', () => {
      const parsed = length === 0 ? {} : parseBody(Buffer.concat(chunks), length);
      if (parsed instanceof GuiseError) reject(parsed);
      else resolve(parsed);
    });
  });
}

function parseBody(body: Buffer, length: number): unknown {
  if (length > mostBodyBytes)
    return new GuiseError('BAD_REQUEST', `the body is larger than ${mostBodyBytes} bytes`);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (thrown) {
    return new GuiseError('BAD_REQUEST', `the body is not JSON: ${messageOf(thrown)}`);
  }
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  NOT_PERMITTED: 403,
  SITE_UNKNOWN: 404,
  SITE_EXISTS: 409,
  SITE_INVALID: 422,
  CONFIG_INVALID: 422,
  CONFIG_UNREADABLE: 422,
};

function failure(thrown: unknown, options: ControlOptions): Answer {
  if (thrown instanceof GuiseError) {
    return refusal(statusOf[thrown.code] ?? 500, thrown.code, thrown.message, thrown.detail.remedy);
  }
  options.onProblem?.(thrown);
  return refusal(500, 'INTERNAL', `guise made a mistake: ${messageOf(thrown)}`, 'see the log of the daemon');
}

/** A whole answer as bytes, for peers that get no parser. */
function plain(status: number, reply: Answer): string {
  const text = `${JSON.stringify(reply.body)}\n`;
  const reason = status === 403 ? 'Forbidden' : 'Bad Request';
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    '',
    text,
  ].join('\r\n');
}
