import { closeSync, mkdirSync, openSync } from 'node:fs';
import t from 'tap';
import {
  controllersOf,
  groupMount,
  groupOf,
  isDelegated,
  isGroup,
  killGroup,
  membersOf,
  moveInto,
  removeGroup,
} from '../../src/os/cgroup.js';
import { launch } from '../../src/os/launch.js';
import { pidfdOpen, pidfdSignal } from '../../src/os/process.js';
import { deathOf, planned, until } from './running.js';

const hybrid = `25 1 0:22 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
26 25 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
27 25 0:24 / /sys/fs/cgroup/un\\040ified rw,relatime shared:9 - cgroup2 cgroup2 rw
`;

t.test('where it is mounted', async (t) => {
  t.same(groupMount(hybrid), { root: '/', point: '/sys/fs/cgroup/un ified' });
  t.equal(groupMount(hybrid.split('\n')[0]), undefined);
});

t.test('the directory of a process', async (t) => {
  const whole = { root: '/', point: '/c' };
  t.equal(groupOf('self', whole, '8:pids:/x\n0::/a.slice/b.service\n'), '/c/a.slice/b.service');
  t.equal(groupOf('self', whole, '0::/\n'), '/c');
  t.equal(groupOf('self', whole, '8:pids:/x\n'), undefined, 'only in groups of version 1');
  t.equal(groupOf('self', whole, '0::/../other\n'), undefined, 'outside of the namespace');
  t.equal(groupOf('self', { root: '/box', point: '/c' }, '0::/box/a\n'), '/c/a', 'a part of it is mounted');
  t.equal(groupOf('self', { root: '/box', point: '/c' }, '0::/boxes/a\n'), undefined);
});

t.test('a program is born in a group, and ends with it', async (t) => {
  const mount = groupMount();
  if (mount === undefined) throw new Error('these tests need cgroup version 2');
  t.ok(isGroup(mount.point));
  t.notOk(isGroup('/tmp'));
  t.notOk(isGroup('/nonexistent'));
  t.notOk(isDelegated(mount.point));
  t.notOk(killGroup(mount.point), 'the group that everything begins in has no such file');
  const group = `${mount.point}/guise-t-${process.pid}-os`;
  mkdirSync(group);
  t.teardown(() => void removeGroup(group));
  t.same(membersOf(group), []);
  const fd = openSync(group, 'r');
  const { pid } = launch(planned({ file: '/bin/sleep', args: ['sleep', '600'], cgroup: fd }));
  closeSync(fd);
  t.same(membersOf(group), [pid]);
  t.equal(groupOf(pid), group);
  t.notOk(removeGroup(group), 'somebody is in it');
  t.ok(killGroup(group));
  t.match(await deathOf(pid), { signal: 9 });
  await until('the group to be empty', () => removeGroup(group));
  t.ok(removeGroup(group), 'it is gone already');
  t.same(controllersOf(group), []);
});

t.test('a process is moved', async (t) => {
  const mount = groupMount();
  const group = `${mount?.point ?? ''}/guise-t-${process.pid}-move`;
  mkdirSync(group);
  const { pid } = launch(planned({ file: '/bin/sleep', args: ['sleep', '600'] }));
  const pidfd = pidfdOpen(pid);
  moveInto(group, pid);
  t.equal(groupOf(pid), group);
  pidfdSignal(pidfd, 9);
  closeSync(pidfd);
  await deathOf(pid);
  await until('the group to be empty', () => removeGroup(group));
  t.throws(() => moveInto(group, pid), { code: 'ENOENT' });
});

t.test('a group that is none', async (t) => {
  const fd = openSync('/tmp', 'r');
  t.throws(() => launch(planned({ file: '/bin/true', args: ['true'], cgroup: fd })), {
    message: /step fork .clone3: EBADF/,
  });
  closeSync(fd);
});
