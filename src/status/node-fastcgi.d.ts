/** The part of node-fastcgi (version 2) that is used here; the package brings no types. */
declare module 'node-fastcgi' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Server } from 'node:net';

  export function createServer(
    responder: (request: IncomingMessage, response: ServerResponse) => void,
    config?: { readonly maxConns?: number; readonly maxReqs?: number; readonly multiplex?: boolean },
  ): Server & { setTimeout(ms: number): void };
}
