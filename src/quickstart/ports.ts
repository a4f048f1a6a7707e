/**
 * Loopback ports to listen on. They are searched below 32768, where the kernel does not choose the ports of outgoing
 * connections from, and from a place that depends on the process, so that two runs side by side do not meet.
 */

import { once } from 'node:events';
import { createServer } from 'node:net';

const lowest = 20_000;
const width = 12_000;
let next = (process.pid * 40) % width;

/** Ports on which nobody listens now. The same process never gets one twice before it has seen them all. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + next;
    next = (next + 1) % width;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
