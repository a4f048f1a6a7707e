import t from 'tap';
import { launch } from '../../src/os/launch.js';
import { becomeSubreaper, reap } from '../../src/os/reap.js';
import { close, setBlocking, streamPair } from '../../src/os/socket.js';
import { childrenOf } from '../../src/os/tree.js';
import { deathOf, planned, run } from './running.js';

const shell = (script: string) => ({ file: '/bin/sh', args: ['sh', '-c', script] });

t.test('nothing to collect', (t) => {
  t.equal(reap(), undefined);
  t.end();
});

t.test('a child that runs is not collected', async (t) => {
  const [ours, theirs] = streamPair();
  setBlocking(theirs, true);
  const { pid } = launch(planned({ file: '/bin/cat', args: ['cat'], descriptors: [theirs, 1, 2] }));
  close(theirs);
  t.equal(reap(), undefined);
  t.same(childrenOf(process.pid), [pid]);
  close(ours);
  await deathOf(pid);
  t.same(childrenOf(process.pid), []);
});

t.test('exit code and signal', async (t) => {
  t.match((await run(shell('exit 7'))).death, { exitCode: 7, signal: null });
  t.match((await run(shell('exit 0'))).death, { exitCode: 0, signal: null });
  t.match((await run(shell('kill -9 $$'))).death, { exitCode: null, signal: 9 });
});

t.test('what it has used', async (t) => {
  const { death } = await run(shell('i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'));
  t.ok(death.userUs > 20_000, `${death.userUs} µs of its own`);
  t.ok(death.userUs < 20_000_000, 'which are not seconds');
  t.ok(death.systemUs < death.userUs);
  t.ok(death.maxRssKb > 500 && death.maxRssKb < 100_000, `${death.maxRssKb} KiB`);
});

t.test('orphans come to a subreaper', async (t) => {
  becomeSubreaper();
  const [ours, theirs] = streamPair();
  setBlocking(theirs, true);
  const script = '(read line; exit 5) <&3 & exit 0';
  const { pid } = launch(planned({ ...shell(script), descriptors: [-1, 1, 2, theirs] }));
  close(theirs);
  await deathOf(pid);
  const [orphan = 0, ...more] = childrenOf(process.pid);
  t.not(orphan, 0);
  t.same(more, []);
  close(ours);
  t.match(await deathOf(orphan), { pid: orphan, exitCode: 5 });
});
