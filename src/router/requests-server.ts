/**
 * The socket on which people ask about running requests: `GET /requests`, `GET /requests/SITE`, `POST /kill/ID`. The
 * kernel says who asks (control/door.ts): administrators see every request, the user of a site his own. One question
 * a connection, one line of bounded length; whatever a caller does wrong costs his connection alone.
 *
 * Process: the router, so that the root process never sees a URI.
 */

import { createServer, type Socket } from 'node:net';
import { type Answer, failure, plain, refusal } from '../control/answers.js';
import { Door } from '../control/door.js';
import type { Caller } from '../control/roles.js';
import type { RouterSettings } from '../control/router-messages.js';
import { readSmallRequest, type SmallRequest } from '../control/small-request.js';
import type { LiveRequests } from './live-requests.js';
import type { RouterLog } from './log.js';

/** For the whole of a connection. */
const timeoutMs = 5000;

export interface RequestsServer {
  close(): void;
}

/** @param isOwner whether some site runs as this user */
export function startRequestsServer(
  fd: number,
  live: LiveRequests,
  log: RouterLog,
  settings: Pick<RouterSettings, 'control' | 'user'>,
  isOwner: (uid: number) => boolean,
): RequestsServer {
  const sources = {
    config: () => ({ control: settings.control, router: { user: settings.user } }),
    isOwner,
  };
  const door = new Door(
    sources,
    (problem) => log.logger.warn({ err: problem }, 'requests socket'),
    () => performance.now(),
  );
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const end = setTimeout(() => socket.destroy(), timeoutMs);
    socket.on('error', () => socket.destroy());
    const entry = door.enter(socket);
    socket.on('close', () => {
      clearTimeout(end);
      entry?.leave();
    });
    if (entry === undefined) socket.destroy();
    else if ('refused' in entry) say(socket, entry.refused);
    else listen(socket, live, log, entry.caller, () => door.mayChange(entry.caller));
  });
  server.on('error', () => undefined);
  server.listen({ fd });
  return { close: () => server.close() };
}

function listen(
  socket: Socket,
  live: LiveRequests,
  log: RouterLog,
  caller: Caller,
  mayChange: () => boolean,
): void {
  readSmallRequest(socket, (request) => {
    if ('breach' in request) say(socket, refusal(400, 'BAD_REQUEST', request.breach));
    else say(socket, answer(live, log, caller, request, mayChange));
  });
  socket.resume();
}

/** Unread bytes would make the kernel drop the answer. */
function say(socket: Socket, reply: Answer): void {
  socket.resume();
  socket.end(plain(reply));
}

function answer(
  live: LiveRequests,
  log: RouterLog,
  caller: Caller,
  { method, path }: SmallRequest,
  mayChange: () => boolean,
): Answer {
  try {
    const [, what, name, ...rest] = path.split('/');
    if (rest.length > 0) return nothing(path);
    const site = name === undefined ? undefined : decoded(name);
    if (method === 'GET' && what === 'requests') return { status: 200, body: live.list(caller, site) };
    if (method !== 'POST' || what !== 'kill' || name === undefined) return nothing(path);
    if (!mayChange())
      return refusal(
        429,
        'TOO_MANY',
        'this user has asked too much in too short a time',
        'wait some seconds',
      );
    const killed = live.kill(caller, name);
    log.logger.warn(
      { id: killed.id, site: killed.site, byUid: caller.uid, state: killed.state },
      'request killed',
    );
    return { status: 200, body: { killed } };
  } catch (thrown) {
    return failure(thrown, (problem) => log.logger.error({ err: problem }, 'requests socket'));
  }
}

function nothing(path: string): Answer {
  return refusal(
    404,
    'BAD_REQUEST',
    `there is nothing at ${path}`,
    'GET /requests, GET /requests/SITE, POST /kill/ID',
  );
}

/** A name that cannot be decoded is that of no site. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return '';
  }
}
