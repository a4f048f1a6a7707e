import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { lockRunDirectory } from '../../src/master/lock.js';
import { nodeProgram, run } from '../os/running.js';

function runDirectory(t: Test): string {
  const directory = mkdtempSync('/tmp/guise-lock-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

t.test('a second daemon is told who the first is', async (t) => {
  const directory = runDirectory(t);
  const unlock = lockRunDirectory(directory);
  t.equal(readFileSync(`${directory}/guise.lock`, 'utf8'), `${process.pid}\n`);
  t.throws(() => lockRunDirectory(directory), {
    code: 'ALREADY_RUNNING',
    message: `guise is already running on ${directory} (pid ${process.pid})`,
    detail: { file: `${directory}/guise.lock`, remedy: /guise stop/ },
  });
  lockRunDirectory(runDirectory(t))();
  t.throws(() => lockRunDirectory(directory), { code: 'ALREADY_RUNNING' }, 'still, whatever others do');
  unlock();
  t.notOk(existsSync(`${directory}/guise.lock`), 'nothing is left');
  lockRunDirectory(directory)();
});

t.test('a lock ends with its process, and what a dead one left says nothing', async (t) => {
  const directory = runDirectory(t);
  const { death, output } = await run({
    file: process.execPath,
    args: nodeProgram('../master/locking.child.js', directory),
  });
  t.equal(death.signal, 9, output);
  t.match(readFileSync(`${directory}/guise.lock`, 'utf8'), `${death.pid}`);
  const unlock = lockRunDirectory(directory);
  t.equal(readFileSync(`${directory}/guise.lock`, 'utf8'), `${process.pid}\n`, 'the old pid is gone');
  unlock();
  writeFileSync(`${directory}/guise.lock`, '1234567\n');
  lockRunDirectory(directory)();
});

t.test('however they start and end, there is never more than one', async (t) => {
  const directory = runDirectory(t);
  const counts = new Int32Array(new SharedArrayBuffer(12));
  const workerData = { directory, counts, forMs: 1500 };
  const threads = Array.from(
    { length: 4 },
    () => new Worker(new URL('locking.thread.js', import.meta.url), { workerData }),
  );
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.on('exit', resolve))));
  const [holding, most, times] = counts;
  t.equal(holding, 0);
  t.equal(most, 1, `at most one at a time, ${times} times`);
  t.ok((times ?? 0) > 100);
});
