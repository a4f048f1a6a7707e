/**
 * TCP addresses of the router: loopback only. A peer on this machine can be told by its uid, as on a Unix socket; one
 * on another machine cannot, and its keys would cross the network in clear.
 */

import { isIPv4 } from 'node:net';

export interface TcpAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9000` (any address in 127.0.0.0/8) or `[::1]:9000`; undefined for everything else. */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const [, bracketed, plain, digits = ''] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  const isLoopback = bracketed === undefined ? isIPv4(host) && host.startsWith('127.') : host === '::1';
  return isLoopback && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

export function formatTcpAddress({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
