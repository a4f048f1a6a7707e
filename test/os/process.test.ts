import t from 'tap';
import { errno } from '../../src/os/errno.js';
import { launch } from '../../src/os/launch.js';
import { isRunBy, pidfdOpen, pidfdSignal, realUidOf } from '../../src/os/process.js';
import { close } from '../../src/os/socket.js';
import { childrenOf } from '../../src/os/tree.js';
import { deathOf, nodeProgram, planned, run } from './running.js';

const sleep = planned({ file: '/bin/sleep', args: ['sleep', '600'] });

t.test('a signal by pidfd reaches the process once', async (t) => {
  const { pid } = launch(sleep);
  const pidfd = pidfdOpen(pid);
  t.teardown(() => close(pidfd));
  t.equal(pidfdSignal(pidfd, 0), true);
  t.equal(pidfdSignal(pidfd, 10), true);
  t.equal((await deathOf(pid)).signal, 10);
  t.equal(pidfdSignal(pidfd, 9), false, 'already gone');
  t.throws(() => pidfdOpen(pid), {
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'pidfd_open', errno: errno.ESRCH },
  });
});

t.test('a process is known by its real uid, as long as it is there', async (t) => {
  const identity = { uid: 61_001, gid: 61_001, groups: [] };
  const { pid } = launch({ ...sleep, identity });
  const pidfd = pidfdOpen(pid);
  t.teardown(() => close(pidfd));
  t.equal(isRunBy(pid, pidfd, 61_001), true);
  t.equal(isRunBy(pid, pidfd, 0), false);
  t.equal(realUidOf(pid), 61_001, 'as an older kernel says it');
  process.kill(pid, 'SIGKILL');
  await deathOf(pid);
  t.equal(isRunBy(pid, pidfd, 61_001), false, 'gone');
});

t.test('what is no pidfd is an error', (t) => {
  t.throws(() => pidfdSignal(0, 0), { code: 'SYSCALL_FAILED', detail: { errno: errno.EBADF } });
  t.throws(() => pidfdOpen(-5), { code: 'SYSCALL_FAILED', detail: { errno: errno.EINVAL } });
  t.throws(() => pidfdOpen(Number.NaN), { code: 'SYSCALL_FAILED', detail: { errno: errno.EINVAL } });
  t.end();
});

t.test('children are ours only, whatever they call themselves', async (t) => {
  t.same(childrenOf(process.pid), []);
  const { pid: first } = launch(sleep);
  // Its name, and so a part of its line in /proc, is chosen to look like the fields that follow.
  // It waits in the shell itself, for a program that it had started would outlive it and hold our output open.
  const renamed = 'printf ") S 1 1 1" > /proc/self/comm; read -t 600 line <> <(:)';
  const { pid: second } = launch(planned({ file: '/bin/bash', args: ['bash', '-c', renamed] }));
  t.same(new Set(childrenOf(process.pid)), new Set([first, second]));
  for (const pid of [first, second]) process.kill(pid, 'SIGKILL');
  await deathOf(first);
  await deathOf(second);
  t.same(childrenOf(process.pid), []);
});

t.test('a process can refuse core dumps', async (t) => {
  const { output } = await run({ file: process.execPath, args: nodeProgram('dumpable.child.js') });
  t.equal(output, '61001 0\n');
});
