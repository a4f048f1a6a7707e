/** The ledger's process, with the test in the master's place. */

import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { toLedger } from '../../src/control/ledger-messages.js';
import { orderMaxBytes, writeOrder } from '../../src/control/router-messages.js';
import { launch } from '../../src/os/launch.js';
import { close, sendMessage, seqpacketPair } from '../../src/os/socket.js';
import { deathOf } from '../os/running.js';

const program = fileURLToPath(new URL('../../src/ledger/main.js', import.meta.url));

t.test('a master that is gone before the ledger has begun is noticed', async (t) => {
  const directory = mkdtempSync('/tmp/guise-ledger-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  chownSync(directory, 1, 1);
  const [ours, theirs] = seqpacketPair();
  const bytes = Buffer.alloc(orderMaxBytes);
  const settings = {
    usageDirectory: directory,
    usageDays: 1,
    fileBytes: 1,
    minFreeBytes: 0,
    logDirectory: directory,
  };
  const length = writeOrder(bytes, { type: toLedger.settings, site: 0, worker: 0, a: 0, b: 0 }, settings);
  t.equal(sendMessage(ours, bytes, 0, length, -1, -1), length);
  // It reads this first, and answers.
  close(ours);
  const { pid } = launch({
    file: process.execPath,
    args: ['guise: ledger', program],
    env: { GUISE_ROUTER_USER: '1:1:1' },
    cwd: '/',
    descriptors: [-1, -1, -1, theirs],
    noNewPrivileges: true,
    newSession: true,
  });
  close(theirs);
  t.equal((await deathOf(pid)).exitCode, 0);
});
