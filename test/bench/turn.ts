/** Asks many sites in turn over FastCGI, without a web server, whose own table of sites would be measured else. */

import { connect } from 'node:net';
import { request } from '../harness/fcgi-client.js';

export interface Target {
  readonly socket: string;
  readonly params: Readonly<Record<string, string>>;
}

/** One request on a connection of its own: the time until the last byte, in ms. Throws when it was not answered well. */
export function askTarget({ socket, params }: Target): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.setTimeout(30_000, () => connection.destroy(new Error('silent for 30 s')));
    let text = '';
    connection.on('connect', () => connection.write(request(params)));
    connection.on('data', (chunk: Buffer) => {
      if (text.length < 65_536) text += chunk.toString('latin1');
    });
    connection.on('error', reject);
    connection.on('close', () => {
      const status = /^Status: (\d+)/m.exec(text)?.[1] ?? '200';
      if (text.includes('Content-type:') && status === '200') resolve(performance.now() - started);
      else
        reject(new Error(`${socket} answered with status ${status}: ${JSON.stringify(text.slice(0, 200))}`));
    });
  });
}

/** The parameters of a page, as a web server sends them. */
export function paramsOf(name: string, root: string, key?: string): Record<string, string> {
  return {
    ...(key === undefined ? {} : { GUISE_SITE: name, GUISE_KEY: key }),
    SCRIPT_FILENAME: `${root}/index.php`,
    SCRIPT_NAME: '/index.php',
    DOCUMENT_ROOT: root,
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/index.php',
    QUERY_STRING: '',
    SERVER_NAME: name,
    HTTP_HOST: name,
    SERVER_PROTOCOL: 'HTTP/1.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    REMOTE_ADDR: '127.0.0.1',
  };
}

export interface Turn {
  readonly requests: number;
  /** Latencies in ms. */
  readonly latencies: readonly number[];
}

/** Asks one target after the other, round and round, some at once, until the time is over. */
export async function askInTurn(targets: readonly Target[], atOnce: number, seconds: number): Promise<Turn> {
  const end = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  let next = 0;
  const asking = async (): Promise<void> => {
    while (performance.now() < end) {
      const target = targets[next++ % targets.length] as Target;
      latencies.push(await askTarget(target));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, asking));
  return { requests: latencies.length, latencies };
}
