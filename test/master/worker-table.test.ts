/** Real processes in the place of workers: `sleep` and its kin, started by the launcher. */

import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { WorkerTable } from '../../src/master/worker-table.js';
import { launch } from '../../src/os/launch.js';
import { pidfdOpen, pidfdSignal } from '../../src/os/process.js';
import { close, receive, seqpacketPair } from '../../src/os/socket.js';
import { deathOf, descriptorCount, planned } from '../os/running.js';

function sleeper(t: Test): number {
  const { pid } = launch(planned({ file: '/bin/sleep', args: ['sleep', '1000'] }));
  const pidfd = pidfdOpen(pid);
  t.teardown(async () => {
    pidfdSignal(pidfd, 9);
    close(pidfd);
    await deathOf(pid);
  });
  return pid;
}

t.test('ordered, born, gone', async (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  const pid = sleeper(t);
  const [ours, theirs] = seqpacketPair();
  table.ordered(7, ours);
  t.equal(table.size, 1);
  t.same(table.unborn(), [7]);
  t.ok(table.isUnborn(7));
  t.same(table.pids, []);
  t.notOk(table.isAlive(7), 'nobody knows yet who it is');
  table.kill(7);
  t.equal(table.born(7, pid), ours, 'its channel is handed over');
  t.same(table.unborn(), []);
  t.notOk(table.isUnborn(7));
  t.same(table.pids, [pid]);
  t.equal(table.withPid(pid), 7);
  t.ok(table.isAlive(7));
  t.equal(table.gone(7), pid);
  t.equal(table.gone(7), undefined, 'only once');
  t.equal(table.size, 0);
  t.equal(table.withPid(pid), undefined);
  t.equal(receive(ours, Buffer.alloc(1), 0, 1), -11, 'what was handed over is not closed');
  for (const fd of [ours, theirs]) close(fd);
});

t.test('one that is never born', async (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  const before = descriptorCount();
  const [ours, theirs] = seqpacketPair();
  table.ordered(1, ours);
  t.equal(table.gone(1), -1);
  t.equal(receive(theirs, Buffer.alloc(1), 0, 1), 0, 'its channel is closed');
  close(theirs);
  t.equal(descriptorCount(), before);
});

t.test('one that is born dead', async (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  const { pid } = launch(planned({ file: '/bin/true', args: ['true'] }));
  await deathOf(pid);
  const [ours, theirs] = seqpacketPair();
  table.ordered(1, ours);
  t.equal(table.born(1, pid), undefined);
  t.ok(table.isUnborn(1), 'its end is still to be told');
  t.equal(table.gone(1), -1);
  close(theirs);
});

t.test('a birth that cannot be', async (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  const [pid, other] = [sleeper(t), sleeper(t)];
  table.ordered(1, -1);
  table.ordered(2, -1);
  t.equal(table.born(3, pid), undefined, 'nobody ordered it');
  for (const wrong of [-1, 0, 1]) t.equal(table.born(1, wrong), undefined, `process ${wrong}`);
  t.equal(table.born(1, pid), -1, 'it has no channel');
  t.equal(table.born(1, other), undefined, 'twice');
  t.equal(table.born(2, pid), undefined, 'one process is not two workers');
  t.same(table.unborn(), [2]);
  t.equal(table.born(2, other), -1);
  t.same(table.pids, [pid, other]);
  table.gone(1);
  t.equal(table.withPid(other), 2);
  table.gone(2);
  t.equal(table.size, 0);
});

t.test('who is killed', async (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  const before = descriptorCount();
  const pids = Array.from(
    { length: 3 },
    () => launch(planned({ file: '/bin/sleep', args: ['sleep', '9'] })).pid,
  );
  for (const [i, pid] of pids.entries()) {
    table.ordered(i, -1);
    table.born(i, pid);
  }
  table.ordered(3, -1);
  table.kill(1);
  t.equal((await deathOf(pids[1] ?? -1)).signal, 9);
  t.notOk(table.isAlive(1));
  t.ok(table.isAlive(0));
  table.kill(1);
  table.kill(4711);
  table.killAll();
  for (const pid of [pids[0], pids[2]]) t.equal((await deathOf(pid ?? -1)).signal, 9);
  for (const id of [0, 1, 2, 3]) table.gone(id);
  t.equal(descriptorCount(), before, 'no pidfd is left');
});

t.test('nobody is killed by a number that has been used again', async (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  const { pid } = launch(planned({ file: '/bin/true', args: ['true'] }));
  table.ordered(1, -1);
  table.born(1, pid);
  await deathOf(pid);
  t.notOk(existsSync(`/proc/${pid}`));
  t.notOk(table.isAlive(1));
  table.ordered(2, -1);
  table.ordered(3, -1);
  table.born(3, sleeper(t));
  t.same(table.vanished(), [1]);
  t.doesNotThrow(() => table.kill(1));
  table.gone(1);
});

t.test('promises', (t) => {
  const table = new WorkerTable(process.getuid?.() ?? -1);
  t.equal(table.promise(3), 0, 'there is nobody whose place could become free');
  for (const id of [1, 2, 3]) table.ordered(id, -1);
  t.equal(table.promise(2), 2);
  t.equal(table.promise(2), 1, 'no more than there are');
  t.equal(table.promise(1), 0);
  table.gone(1);
  t.ok(table.redeem());
  table.gone(2);
  table.gone(3);
  t.equal(table.promise(5), 0, 'a promise is never less than none');
  t.ok(table.redeem());
  t.ok(table.redeem());
  t.notOk(table.redeem(), 'each once');
  t.end();
});

t.test('a process of another user is no worker, whoever vouched for its number', async (t) => {
  const table = new WorkerTable(1);
  const pid = sleeper(t);
  const before = descriptorCount();
  table.ordered(1, -1);
  t.equal(table.born(1, pid), undefined);
  t.equal(table.withPid(pid), undefined);
  t.equal(descriptorCount(), before);
});
