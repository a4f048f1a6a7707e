/**
 * The control socket: HTTP and JSON on a Unix socket, for the command line, for monitoring, and for the users of sites.
 * The kernel says who connects (door.ts), and what each may ask is one table (routes.ts). One request a connection;
 * whatever a peer does wrong costs that connection and nothing else.
 *
 * Privilege: root. It sees what administrators send, through Node's HTTP parser, and of everybody else one line of
 * bounded length (small-request.ts); never a byte of any visitor's request.
 */

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type Socket, type Server as SocketServer } from 'node:net';
import { errorCode } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { listenUnix } from '../os/socket.js';
import { type Answer, encode, failure, plain, refusal } from './answers.js';
import type { MasterApi } from './api.js';
import { Door, type Entry, tooMany } from './door.js';
import type { Caller } from './roles.js';
import { answer } from './routes.js';
import { readSmallRequest } from './small-request.js';

const mostBodyBytes = 256 * 1024;
/** Connections that wait to be accepted: whoever floods the socket shall not make others' connect(2) fail. */
const backlog = 1024;

export interface ControlOptions {
  readonly path: string;
  /** Told of what is a fault of guise itself, and of peers turned away. */
  readonly onProblem?: (problem: unknown) => void;
  /** How long a request may take to arrive completely, and how long an answer may lie unread. */
  readonly timeoutMs?: number;
  /** The clock that questions of owners are counted by. */
  readonly nowMs?: () => number;
}

export interface ControlServer {
  /** Ends the listening and every connection, and removes the socket. */
  readonly close: () => Promise<void>;
}

/** Where the control socket of an instance is. */
export function controlPath(runDirectory: string): string {
  return `${runDirectory}/control.sock`;
}

/** What the life of every connection needs. */
interface Scene {
  readonly api: MasterApi;
  readonly door: Door;
  readonly http: Server;
  readonly timeoutMs: number;
  readonly onProblem: (problem: unknown) => void;
}

/**
 * Listens at `options.path`. A socket that lies there is taken for a dead daemon's and replaced: the caller
 * holds the lock of the instance. Throws GuiseError SYSCALL_FAILED.
 */
export function startControlServer(api: MasterApi, options: ControlOptions): ControlServer {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const onProblem = options.onProblem ?? ((): void => undefined);
  // Not listening itself, this server has no timer that checks connections, so an idle daemon sleeps.
  const http = createServer((request, response) => {
    void respond(scene, request, response);
  });
  http.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end(plain(refusal(400, 'BAD_REQUEST', 'this is not HTTP that guise understands')));
    else socket.destroy();
  });
  const scene: Scene = {
    api,
    door: new Door(api, onProblem, options.nowMs ?? (() => performance.now())),
    http,
    timeoutMs,
    onProblem,
  };
  const connections = new Set<Socket>();
  const server = createSocketServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    const entry = scene.door.enter(socket);
    if (entry === undefined) {
      socket.destroy();
      return;
    }
    connections.add(socket);
    // Bytes that trickle in keep an inactivity timer quiet; this one they cannot.
    const deadline = setTimeout(() => socket.destroy(), timeoutMs);
    arrivals.set(socket, deadline);
    socket.on('close', () => {
      clearTimeout(deadline);
      connections.delete(socket);
      entry.leave();
    });
    receive(scene, socket, entry);
    // Also where the peer was refused: unread bytes would make the kernel drop the answer.
    socket.resume();
  });
  server.on('error', onProblem);
  server.listen({ fd: bind(options.path) });
  return { close: () => close(server, options.path, connections) };
}

function close(server: SocketServer, path: string, connections: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    removeSocket(path);
    for (const socket of connections) {
      // Whoever asked for the stop gets the answer to that, if he reads it soon.
      if (answering.has(socket)) setTimeout(() => socket.destroy(), lastWordMs).unref();
      else socket.destroy();
    }
  });
}

function receive(scene: Scene, socket: Socket, entry: Entry): void {
  if ('refused' in entry) {
    socket.end(plain(entry.refused));
    setTimeout(() => socket.destroy(), lastWordMs).unref();
    return;
  }
  const { caller } = entry;
  if (caller.role === 'admin') {
    scene.http.emit('connection', socket);
    return;
  }
  readSmallRequest(socket, (request) => {
    clearTimeout(arrivals.get(socket));
    answering.add(socket);
    void answerSmall(scene, caller, request).then((reply) => {
      socket.end(plain(reply));
      // An answer that is not read soon is dropped; reading a byte now and then does not help.
      setTimeout(() => socket.destroy(), scene.timeoutMs).unref();
    });
  });
}

async function answerSmall(
  { api, door, onProblem }: Scene,
  caller: Caller,
  request: Parameters<Parameters<typeof readSmallRequest>[1]>[0],
): Promise<Answer> {
  if ('breach' in request) {
    const { breach, isForbidden } = request;
    return isForbidden ? refusal(403, 'NOT_PERMITTED', breach) : refusal(400, 'BAD_REQUEST', breach);
  }
  const isChange = request.method !== 'GET';
  if (isChange && !door.mayChange(caller)) return tooMany();
  try {
    return await answer(api, caller, { ...request, path: pathOf(request.path) }, {});
  } catch (thrown) {
    return failure(thrown, onProblem);
  }
}

function pathOf(target: string): string {
  return target.split('?')[0] ?? '/';
}

/** Connections whose request has arrived and is being answered. */
const answering = new WeakSet<Socket>();
const lastWordMs = 1000;

/** The timer that runs until a connection's request has arrived. */
const arrivals = new WeakMap<Socket, NodeJS.Timeout>();

/** Everybody may connect: who it is decides over what he gets. */
function bind(path: string): number {
  removeSocket(path);
  const fd = listenUnix(path, backlog);
  chmodSync(path, 0o666);
  return fd;
}

function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (thrown) {
    if (errorCode(thrown) !== 'ENOENT') throw thrown;
  }
}

/** An administrator's request. */
async function respond(
  { api, timeoutMs, onProblem }: Scene,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: Answer;
  try {
    const body = await readBody(request);
    clearTimeout(arrivals.get(request.socket));
    answering.add(request.socket);
    const question = { method: request.method ?? 'GET', path: pathOf(request.url ?? '/') };
    reply = await answer(api, { role: 'admin', uid: 0 }, question, body);
  } catch (thrown) {
    if (!request.complete && !(thrown instanceof GuiseError)) return;
    reply = failure(thrown, onProblem);
  }
  if (response.destroyed) return;
  const { text, headers } = encode(reply);
  response.writeHead(reply.status, headers);
  // An answer that nobody reads is dropped in the end.
  request.socket.setTimeout(timeoutMs, () => request.socket.destroy());
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
