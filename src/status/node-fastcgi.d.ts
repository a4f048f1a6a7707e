/** The part of node-fastcgi (version 2) that is used here; the package brings no types. */
declare module 'node-fastcgi' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Server } from 'node:net';

  export interface FastCgiRequest extends IncomingMessage {
    /** The parameters as the web server sent them. */
    readonly cgiParams: Readonly<Record<string, string | undefined>>;
  }

  export function createServer(
    responder: (request: FastCgiRequest, response: ServerResponse) => void,
    config?: { readonly maxConns?: number; readonly maxReqs?: number; readonly multiplex?: boolean },
  ): Server & { setTimeout(ms: number): void };
}
