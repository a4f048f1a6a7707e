/**
 * Status over FastCGI: accepts on the socket that it was started with, asks the daemon over its control socket, and
 * answers with a page. No PHP process has a part in it, so it also answers when every pool is full.
 *
 * Privilege: the router's user, confined. A peer's nonsense ends the process (node-fastcgi throws on records that it
 * does not know), and the master starts another.
 */

import type { ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { createServer, type FastCgiRequest } from 'node-fastcgi';
import type { StatusReport } from '../control/api.js';
import { GuiseError } from '../error.js';
import { answerTo, neverKept, type Page, plain } from './answer.js';
import { questionOf, type StatusPaths } from './request.js';

export interface StatusSettings {
  readonly paths: StatusPaths;
  /** Whether this peer may ask at all. */
  mayAsk(socket: Socket): boolean;
  /** Of the parameter GUISE_STATUS_KEY. */
  isKey(given: string | undefined): boolean;
  report(): Promise<StatusReport>;
  nowMs(): number;
}

/** Web servers that hang leave their connection, and nobody asks so much at a time. */
const silenceMs = 30_000;
const mostConnections = 64;

const withoutKey =
  'The web server has not sent the key of the status: guise web apache --status (or nginx, lighttpd)\n';

export function statusServer(settings: StatusSettings): Server {
  const server = createServer(
    (request, response) => {
      // node-fastcgi closes after the answer. Apache, which may not have written the end of the request yet, makes 503
      // of an answer whose connection has been closed by then.
      request.resume();
      request.on('end', () => {
        page(settings, request).then(
          (shown) => send(response, shown),
          () => response.destroy(),
        );
      });
    },
    { maxConns: mostConnections, maxReqs: mostConnections, multiplex: false },
  );
  server.setTimeout(silenceMs);
  server.maxConnections = mostConnections;
  // Before node-fastcgi's own listener, which then finds it closed.
  server.prependListener('connection', (socket) => {
    if (!settings.mayAsk(socket)) socket.destroy();
  });
  return server;
}

async function page(settings: StatusSettings, { url = '/', cgiParams }: FastCgiRequest): Promise<Page> {
  if (!settings.isKey(cgiParams.GUISE_STATUS_KEY)) return plain(403, withoutKey);
  try {
    return await answerTo(
      questionOf(url, settings.paths),
      () => settings.report(),
      () => settings.nowMs(),
    );
  } catch (thrown) {
    if (!(thrown instanceof GuiseError)) throw thrown;
    return plain(503, `The daemon does not answer: ${thrown.message}\n`);
  }
}

function send(response: ServerResponse, { status, contentType, body, headers }: Page): void {
  response.sendDate = false;
  response.removeHeader('Connection');
  response.writeHead(status, { ...neverKept, 'Content-Type': contentType, ...headers });
  response.end(body);
}
