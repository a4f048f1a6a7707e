/** What the tests of single parts do with sockets of their own. */

import { fstatSync } from 'node:fs';
import { POLLIN, type Poller } from '../../src/os/poller.js';
import { close, receive, send, streamPair } from '../../src/os/socket.js';

/** Resolves when fresh events have gone all the way round: whatever was due before has been handled by then. */
export async function aRound(poller: Poller): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const [ours, theirs] = streamPair();
    send(theirs, Buffer.alloc(1), 0, 1);
    await new Promise<void>((resolve) => {
      poller.add(ours, POLLIN, () => {
        poller.remove(ours);
        resolve();
      });
    });
    close(ours);
    close(theirs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What has arrived at this end so far. */
export function arrived(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    const length = receive(fd, chunk, 0, chunk.length);
    if (length <= 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
  }
}

/** Which socket a descriptor stands for. */
export function identity(fd: number): number {
  return fstatSync(fd).ino;
}
