import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/os/addon.js';
import { close, passCredentials, receiveMessage, seqpacketPair, setBlocking } from '../../src/os/socket.js';
import { descriptorCount, run } from '../os/running.js';

const dir = mkdtempSync(join(tmpdir(), 'guise-native-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const program = join(dir, 'many-descriptors');
const source = join(packageRoot(), 'test/native/many-descriptors.c');
const compile = ['cc', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-o', program, source];
const { death, output } = await run({ file: '/usr/bin/cc', args: compile, env: { PATH: '/usr/bin:/bin' } });
t.equal(death.exitCode, 0, `compiled ${output}`);

/** What receiveMessage says of a message with so many descriptors, and how many of them stay open. */
async function received(count: number, withCredentials: boolean): Promise<{ out: number[]; open: number }> {
  const [ours, theirs] = seqpacketPair();
  setBlocking(theirs, true);
  if (withCredentials) passCredentials(ours);
  const sent = await run({ file: program, args: ['many-descriptors', String(count)] }, [theirs]);
  t.equal(sent.death.exitCode, 0, `${count} sent`);
  const before = descriptorCount();
  const out = new Int32Array(9);
  t.equal(receiveMessage(ours, Buffer.alloc(8), out), 1);
  const open = descriptorCount() - before;
  for (const fd of out.subarray(1, 1 + (out[0] ?? 0))) close(fd);
  [ours, theirs].forEach(close);
  return { out: [...out], open };
}

for (const withCredentials of [true, false]) {
  t.test(
    `up to four descriptors are taken ${withCredentials ? 'with' : 'without'} credentials`,
    async (t) => {
      for (const count of [1, 4]) {
        const { out, open } = await received(count, withCredentials);
        t.equal(out[0], count);
        t.equal(open, count);
        t.equal(out[6], withCredentials ? 0 : -1, 'uid');
        t.equal(out[8], 0);
      }
    },
  );

  t.test(`of more, none stays open ${withCredentials ? 'with' : 'without'} credentials`, async (t) => {
    for (const count of [5, 6, 7, 8, 9, 12, 13, 253]) {
      const { out, open } = await received(count, withCredentials);
      t.same(out.slice(0, 5), [0, -1, -1, -1, -1], `${count} descriptors`);
      t.equal(out[8], 1);
      t.equal(open, 0);
    }
  });
}
