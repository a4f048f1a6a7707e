/** A tree that changes while it is read: who is not found is not there. */

import { join } from 'node:path';
import t from 'tap';
import { launch } from '../../src/os/launch.js';
import { childrenOf, endChildren } from '../../src/os/tree.js';
import { readProcess } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { compile, openDirectory } from './compiled.js';
import { deathOf, planned } from './running.js';

const file = join(openDirectory(t), 'hopping');
await compile('os/hopping.c', file);

/** Enough for seconds, and not for ever. */
const forks = '50000';

async function hopping(): Promise<number> {
  const { pid } = launch(planned({ file, args: ['hopping', forks], descriptors: [-1, -1, 2] }));
  await until('a chain of forks', () => childrenOf(pid).length > 0);
  return pid;
}

t.test('when nobody is found, nobody is left', async (t) => {
  for (let i = 0; i < 50; i++) {
    const pid = await hopping();
    let left = 1;
    for (let look = 0; look < 1000 && left > 0; look++)
      left = endChildren(pid, { spare: [], uids: [], budgetMs: 1 });
    t.equal(left, 0, 'found at last');
    await until('the end of the chain', () => readProcess(pid)?.state === 'Z', 2000);
    await deathOf(pid);
  }
});
