/** Speaks to a running daemon over its control socket. What keeps it from answering is said in clear words. */

import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, quoteShell } from '../config/toml-file.js';
import { type ErrorCode, GuiseError, messageOf } from '../error.js';
import { errorBody } from './api.js';
import { controlPath } from './server.js';

/** What must be known of a daemon to speak to it: a part of Config. */
export interface Daemon {
  readonly file: string;
  readonly paths: { readonly run: string };
  readonly control: { readonly group?: string };
}

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** How long the daemon may be silent. */
  readonly timeoutMs?: number;
  /** Where it listens, if not at the control socket. */
  readonly socketPath?: string;
}

/** Where the router tells of requests that wait and run. */
export function requestsPath(runDirectory: string): string {
  return `${runDirectory}/requests.sock`;
}

/**
 * The body of the daemon's answer. Throws GuiseError: NOT_RUNNING, NOT_PERMITTED, or what the daemon says.
 * The daemon is root's own; its answers are taken at their word.
 */
export async function ask<T>(config: Daemon, question: Ask): Promise<T> {
  const { status, text } = await patiently(config, question);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new GuiseError('BAD_REQUEST', `what answers at ${controlPath(config.paths.run)} is not guise`);
  }
  if (status < 400) return body as T;
  const failure = errorBody.safeParse(body);
  if (!failure.success) throw new GuiseError('BAD_REQUEST', `the daemon answered with status ${status}`);
  const { code, message, remedy } = failure.data.error;
  // A daemon of another version may know codes that this client does not; they are shown as they are.
  throw new GuiseError(code as ErrorCode, message, remedy === undefined ? {} : { remedy });
}

/** The socket's queue may be full for a moment, when somebody floods it: connect(2) says EAGAIN then. */
async function patiently(config: Daemon, question: Ask): Promise<{ status: number; text: string }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exchange(config, question);
    } catch (thrown) {
      if (errorCode(thrown) !== 'EAGAIN' || attempt === mostAttempts)
        throw translate(thrown, config, question.socketPath);
      await delay(pauseMs);
    }
  }
}

const mostAttempts = 200;
const pauseMs = 25;

function exchange(config: Daemon, question: Ask): Promise<{ status: number; text: string }> {
  const payload = question.body === undefined ? undefined : JSON.stringify(question.body);
  return new Promise((resolve, reject) => {
    const call = request({
      socketPath: question.socketPath ?? controlPath(config.paths.run),
      // A connection of its own: one kept from before may be about to close.
      agent: false,
      method: question.method,
      path: question.path,
      headers: {
        Host: 'localhost',
        ...(payload === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }),
      },
      timeout: question.timeoutMs ?? 30_000,
    });
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => reject(error));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    call.on('timeout', () => {
      call.destroy(
        new GuiseError('NOT_RUNNING', `the daemon at ${controlPath(config.paths.run)} does not answer`),
      );
    });
    call.on('error', (error) => reject(error));
    call.end(payload);
  });
}

function translate(error: unknown, config: Daemon, socketPath?: string): GuiseError {
  if (error instanceof GuiseError) return error;
  const path = socketPath ?? controlPath(config.paths.run);
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTDIR':
      return new GuiseError('NOT_RUNNING', `guise is not running: nothing listens at ${path}`, {
        remedy: `guise daemon --config ${quoteShell(config.file)}   (or: systemctl start guise)`,
      });
    case 'EACCES':
    case 'EPERM':
      return new GuiseError('NOT_PERMITTED', `you may not speak to the daemon at ${path}`, {
        remedy:
          config.control.group === undefined
            ? 'run this as root, or name a group under [control] in the configuration'
            : `run this as root, or become a member of the group ${config.control.group}`,
      });
    default:
      return new GuiseError(
        'NOT_RUNNING',
        `the daemon at ${path} did not answer: ${messageOf(error)}`,
        {},
        error,
      );
  }
}
