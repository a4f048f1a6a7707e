import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GuiseError } from '../../src/error.js';
import { errno } from '../../src/os/errno.js';
import { type Identity, type LaunchSpec, launch } from '../../src/os/launch.js';
import { childrenOf } from '../../src/os/tree.js';
import { descriptorCount, nodeProgram, type Partly, planned, run } from './running.js';

const somebody: Identity = { uid: 61001, gid: 61002, groups: [61002] };
const trueProgram = { file: '/bin/true', args: ['true'] };
const dir = mkdtempSync(join(tmpdir(), 'guise-launch-'));
t.teardown(() => rmSync(dir, { recursive: true }));

/** Where it failed, and with what number. It must leave neither a child nor a descriptor behind. */
function failure(t: Test, spec: Partly): (string | number | undefined)[] {
  const before = descriptorCount();
  try {
    launch(planned(spec));
  } catch (thrown) {
    if (!(thrown instanceof GuiseError)) throw thrown;
    t.equal(thrown.code, 'LAUNCH_FAILED');
    t.ok(thrown.message.includes(`step ${thrown.detail.step ?? '?'}`), thrown.message);
    t.equal(descriptorCount(), before, 'no descriptor is left');
    t.same(childrenOf(process.pid), [], 'no child is left');
    return [thrown.detail.step, thrown.detail.errno];
  }
  throw new Error('it was started');
}

/** The same within a process that was started by another program first. */
async function failureWithin(
  wrapper: string[],
  order: object,
  limits: LaunchSpec['limits'] = {},
): Promise<object> {
  const args = [
    ...wrapper,
    process.execPath,
    ...nodeProgram('launching.child.js', JSON.stringify(order)).slice(1),
  ];
  const file = wrapper[0] ?? process.execPath;
  const { output } = await run({ file, args, limits, noNewPrivileges: true });
  return JSON.parse(output) as object;
}

const within = (spec: Partly) => ({ specs: [planned(spec)] });

t.test('arguments', (t) => {
  t.same(failure(t, { ...trueProgram, file: 'bin/true' }), ['arguments', errno.EINVAL], 'a relative path');
  t.same(failure(t, { ...trueProgram, file: '/bin/true\0x' }), ['arguments', errno.EINVAL], 'a NUL in it');
  t.same(failure(t, { ...trueProgram, args: [] }), ['arguments', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, args: ['true', 'a\0b'] }), ['arguments', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, cwd: '/\0' }), ['arguments', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, env: { A: 'b\0C=d' } }), ['arguments', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, env: { 'A=B': 'c' } }), ['arguments', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, env: { '': 'c' } }), ['arguments', errno.EINVAL]);
  t.end();
});

t.test('identity', (t) => {
  const as = (change: object) => failure(t, { ...trueProgram, identity: { ...somebody, ...change } });
  t.same(as({ uid: 0 }), ['identity', errno.EPERM]);
  t.same(as({ gid: 0 }), ['identity', errno.EPERM]);
  t.same(as({ groups: [61002, 0] }), ['identity', errno.EPERM]);
  for (const odd of [
    -1,
    2 ** 32 - 1,
    2 ** 32,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '61001',
    undefined,
    null,
  ]) {
    t.same(as({ uid: odd }), ['identity', errno.EINVAL], `uid ${odd}`);
    t.same(as({ gid: odd }), ['identity', errno.EINVAL], `gid ${odd}`);
    t.same(as({ groups: [odd] }), ['identity', errno.EINVAL], `group ${odd}`);
  }
  t.same(as({ groups: undefined }), ['identity', errno.EINVAL]);
  const lookedUpInVain = { identity: undefined } as unknown as { identity: Identity };
  t.same(
    failure(t, { ...trueProgram, ...lookedUpInVain }),
    ['identity', errno.EINVAL],
    'never root by mistake',
  );
  t.end();
});

t.test('values out of range', (t) => {
  const limits = (value: object) => failure(t, { ...trueProgram, limits: value });
  t.same(limits({ nofile: -1 }), ['limits', errno.EINVAL]);
  t.same(limits({ nofile: Number.NaN }), ['limits', errno.EINVAL]);
  t.same(limits({ nofile: Number.NEGATIVE_INFINITY }), ['limits', errno.EINVAL]);
  t.same(limits({ files: 1 }), ['limits', errno.EINVAL], 'an unknown name');
  t.same(failure(t, { ...trueProgram, umask: 0o1000 }), ['umask', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, nice: 20 }), ['nice', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, parentDeathSignal: 65 }), ['parent_death_signal', errno.EINVAL]);
  t.same(failure(t, { ...trueProgram, descriptors: [-2] }), ['descriptors', errno.EINVAL]);
  t.end();
});

t.test('descriptors: one is not open', (t) => {
  t.same(failure(t, { ...trueProgram, descriptors: [-1, 1, 2, 999_999] }), ['descriptors', errno.EBADF]);
  t.end();
});

t.test('limits: more than the kernel allows', (t) => {
  const most = Number(readFileSync('/proc/sys/fs/nr_open', 'latin1'));
  t.same(failure(t, { ...trueProgram, limits: { nofile: most + 1 } }), ['limits', errno.EPERM]);
  t.end();
});

t.test('cwd: missing, no directory, or not open to the user', (t) => {
  t.same(failure(t, { ...trueProgram, cwd: join(dir, 'none') }), ['cwd', errno.ENOENT]);
  t.same(failure(t, { ...trueProgram, cwd: '/bin/true' }), ['cwd', errno.ENOTDIR]);
  t.same(failure(t, { ...trueProgram, cwd: dir, identity: somebody }), ['cwd', errno.EACCES]);
  t.end();
});

t.test('exec: missing, or not a program', (t) => {
  const plain = join(dir, 'plain');
  writeFileSync(plain, 'no program', { mode: 0o644 });
  t.same(failure(t, { ...trueProgram, file: join(dir, 'none') }), ['exec', errno.ENOENT]);
  t.same(failure(t, { ...trueProgram, file: plain }), ['exec', errno.EACCES]);
  t.same(failure(t, { ...trueProgram, file: join(dir, 'none'), identity: somebody }), ['exec', errno.EACCES]);
  t.end();
});

t.test('groups: not root', async (t) => {
  t.match(await failureWithin([], { as: somebody, ...within({ ...trueProgram, identity: somebody }) }), {
    step: 'groups',
    syscall: 'setgroups',
    errno: errno.EPERM,
  });
});

t.test('uid, nice: root without the capability', async (t) => {
  const without = (name: string) => ['/usr/bin/setpriv', '--bounding-set', `-${name}`];
  t.match(await failureWithin(without('setuid'), within({ ...trueProgram, identity: somebody })), {
    step: 'uid',
    syscall: 'setresuid',
    errno: errno.EPERM,
  });
  t.match(await failureWithin(without('sys_nice'), within({ ...trueProgram, nice: -5 })), {
    step: 'nice',
    errno: errno.EACCES,
  });
});

t.test('proof: the change of user has left capabilities', async (t) => {
  const expected = { step: 'proof', syscall: 'capget', errno: errno.EPERM };
  const asSomebody = within({ ...trueProgram, identity: somebody });
  const keeping = ['/usr/bin/setpriv', '--securebits', '+no_setuid_fixup'];
  t.match(await failureWithin(keeping, asSomebody), expected);
  const inheriting = ['/usr/bin/setpriv', '--inh-caps', '+net_raw'];
  t.match(await failureWithin(inheriting, asSomebody), expected);
});

t.test('pipe: no descriptor is free', async (t) => {
  const order = { exhaustDescriptors: true, ...within(trueProgram) };
  t.match(await failureWithin([], order, { nofile: 64 }), {
    step: 'pipe',
    syscall: 'pipe2',
    errno: errno.EMFILE,
  });
});

t.test('fork: the user has too many processes', async (t) => {
  const before = planned({ file: '/usr/bin/prlimit', args: ['prlimit', '--nproc=1:1', '--pid', '$PID'] });
  const order = { as: { uid: 61007, gid: 61007, groups: [] }, before, ...within(trueProgram) };
  t.match(await failureWithin([], order), { step: 'fork', syscall: 'fork', errno: errno.EAGAIN });
});
