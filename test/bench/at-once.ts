/** Asks a page over many kept connections at once. wrk counts too few answers when hundreds of connections wait long. */

import { Agent, get } from 'node:http';
import type { Address } from '../harness/http.js';
import type { Measured } from './load.js';
import { percentile } from './statistics.js';

/** `rounds` times: one request on each connection, all at once. Throws when one is not answered with 200. */
export async function askAtOnce(
  { port, host }: Address,
  path: string,
  connections: number,
  rounds: number,
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const ask = (): Promise<number> => {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const call = get({ host: '127.0.0.1', port, path, headers: { host }, agent, timeout: 20_000 });
      call.once('timeout', () => call.destroy(new Error('no answer within 20 s')));
      call.once('error', reject);
      call.once('response', (incoming) => {
        incoming.resume();
        incoming.once('error', reject);
        incoming.once('end', () => {
          if (incoming.statusCode === 200) resolve(performance.now() - started);
          else reject(new Error(`${path} was answered with ${incoming.statusCode}`));
        });
      });
    });
  };
  const latencies: number[] = [];
  const started = performance.now();
  try {
    for (let round = 0; round < rounds; round += 1) {
      latencies.push(...(await Promise.all(Array.from({ length: connections }, ask))));
    }
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - started) / 1000;
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  return { requests: latencies.length, perSecond: latencies.length / seconds, p50, p99 };
}
