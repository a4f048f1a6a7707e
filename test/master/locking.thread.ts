/** Locks a directory and lets go of it, again and again, and counts who else holds it meanwhile. */

import { workerData } from 'node:worker_threads';
import { GuiseError } from '../../src/error.js';
import { lockRunDirectory } from '../../src/master/lock.js';

const { directory, counts, forMs } = workerData as {
  directory: string;
  /** How many hold it now, how many did at most, how often it was held. */
  counts: Int32Array<SharedArrayBuffer>;
  forMs: number;
};

function once(): void {
  const unlock = lockRunDirectory(directory);
  const holding = Atomics.add(counts, 0, 1) + 1;
  if (holding > Atomics.load(counts, 1)) Atomics.store(counts, 1, holding);
  Atomics.add(counts, 2, 1);
  Atomics.sub(counts, 0, 1);
  unlock();
}

const endMs = performance.now() + forMs;
while (performance.now() < endMs) {
  try {
    once();
  } catch (thrown) {
    if (!(thrown instanceof GuiseError) || thrown.code !== 'ALREADY_RUNNING') throw thrown;
  }
}
