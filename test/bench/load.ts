/** The load generator: wrk, which reports exact figures through a few lines of Lua. */

import { writeFileSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { libraries, unpacked } from './places.js';

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly host: string;
  readonly connections: number;
  readonly seconds: number;
  /** Kept: as many requests on a connection as the server allows. Closed: a connection for each request. */
  readonly client: 'kept' | 'closed';
  /** A file that is sent with each request; the method is POST then. */
  readonly upload?: string;
}

/** Latencies in ms. */
export interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** With the body in a file, since Lua gets no arguments that are not shown in process lists. */
const script = (upload: string | undefined): string => `
${upload === undefined ? '' : `local file = io.open("${upload}", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\nfile:close()\nwrk.headers["Content-Type"] = "application/octet-stream"`}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"us":%d,"p50":%d,"p99":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect, e.read, e.write, e.timeout))
end
`;

interface Said {
  readonly requests: number;
  readonly us: number;
  readonly p50: number;
  readonly p99: number;
  readonly status: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly timeout: number;
}

/** Runs wrk. Throws when a single request failed or was answered with an error: such a run counts for nothing. */
export async function generate(load: Load, directory: string): Promise<Measured> {
  const lua = `${directory}/wrk-${load.host}-${load.upload === undefined ? 'get' : 'post'}.lua`;
  writeFileSync(lua, script(load.upload));
  const headers = [`Host: ${load.host}`, ...(load.client === 'closed' ? ['Connection: close'] : [])];
  const args = [
    `LD_LIBRARY_PATH=${libraries()}`,
    `${unpacked}/usr/bin/wrk`,
    ...['-t', '1', '-c', String(load.connections), '-d', `${load.seconds}s`, '--timeout', '20s', '-s', lua],
    ...headers.flatMap((header) => ['-H', header]),
    `http://127.0.0.1:${load.port}${load.path}`,
  ];
  const { stdout, stderr } = await finish('/usr/bin/env', args);
  const said = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (said === undefined) throw new Error(`wrk said nothing: ${stderr}${stdout}`);
  const result = JSON.parse(said) as Said;
  const { status, connect, read, write, timeout } = result;
  if (status + connect + read + write + timeout > 0 || result.requests === 0) {
    throw new Error(
      `${result.requests} requests; errors: ${status} status, ${connect} connect, ${read} read, ${write} write, ${timeout} timeout`,
    );
  }
  return {
    requests: result.requests,
    perSecond: (result.requests * 1e6) / result.us,
    p50: result.p50 / 1000,
    p99: result.p99 / 1000,
  };
}
