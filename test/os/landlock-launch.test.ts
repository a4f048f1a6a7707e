/** Landlock among the steps of a launch: what it leaves alone, what goes with it to others, and how it fails. */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { errno } from '../../src/os/errno.js';
import { landlockSupport } from '../../src/os/landlock.js';
import { type LandlockRules, type LaunchSpec, launch } from '../../src/os/launch.js';
import { close, memfd } from '../../src/os/socket.js';
import { compile, openDirectory } from './compiled.js';
import { deathOf, nodeProgram, planned, run, until } from './running.js';

const somebody = { uid: 61_001, gid: 61_002, groups: [61_002] };
const { abi } = landlockSupport();

const top = openDirectory(t);
mkdirSync(`${top}/bin`, 0o755);
await compile('os/reaching.c', `${top}/bin/reaching`);
await compile('native/without-landlock.c', `${top}/bin/without-landlock`);
const rules: LandlockRules = {
  read: ['/usr', '/etc', `${top}/bin`],
  write: [],
  devices: ['/dev/null'],
};

async function reach(args: readonly string[], more: Partial<LaunchSpec> = {}): Promise<number> {
  const file = `${top}/bin/reaching`;
  const { output } = await run({ file, args: ['reaching', ...args], identity: somebody, ...more });
  return Number.parseInt(output, 10);
}

t.test('what a program starts is held as it is', async (t) => {
  writeFileSync(`${top}/hidden`, '', { mode: 0o644 });
  const { output } = await run({
    file: '/bin/sh',
    args: ['sh', '-c', `sh -c "${top}/bin/reaching read ${top}/hidden"; cat ${top}/hidden`],
    identity: somebody,
    landlock: { ...rules, read: ['/usr', `${top}/bin`] },
  });
  t.match(output, new RegExp(`^${errno.EACCES}\ncat: .*Permission denied`));
});

t.test('a setgid program still gains its group, unless no_new_privs says otherwise', async (t) => {
  // As a mail system has it: a directory that only a group may write, and a setgid program for everybody.
  const spoolGroup = 61_077;
  const program = `${top}/bin/submit`;
  copyFileSync(`${top}/bin/reaching`, program);
  chownSync(program, 0, spoolGroup);
  chmodSync(program, 0o2755);
  mkdirSync(`${top}/spool`);
  chownSync(`${top}/spool`, 0, spoolGroup);
  chmodSync(`${top}/spool`, 0o730);
  const spec = { file: program, identity: somebody, landlock: { ...rules, write: [`${top}/spool`] } };
  const submit = async (name: string, more: Partial<LaunchSpec>) => {
    const { output } = await run({ ...spec, args: ['submit', 'make', `${top}/spool/${name}`], ...more });
    return Number(output);
  };
  t.equal(await submit('one', {}), 0);
  t.equal(await submit('two', { noNewPrivileges: true }), errno.EACCES);
  t.equal(await submit('three', { landlock: rules }), errno.EACCES, 'and is held to the rules itself');
});

t.test("the system's own setgid program: chage reads /etc/shadow", async (t) => {
  const nobody = { uid: 65_534, gid: 65_534, groups: [] };
  const spec = { file: '/usr/bin/chage', args: ['chage', '-l', 'nobody'], identity: nobody, landlock: rules };
  const allowed = await run(spec);
  t.equal(allowed.death.exitCode, 0, allowed.output);
  t.match(allowed.output, 'Password expires');
  t.not((await run({ ...spec, noNewPrivileges: true })).death.exitCode, 0);
});

t.test('processes and sockets without a path outside', async (t) => {
  const name = `guise-test-${process.pid}`;
  const outside = await listener(t, name);
  const denied = abi >= 6 ? errno.EPERM : 0;
  const within = { landlock: rules };
  t.equal(await reach(['signal', String(outside)], within), denied, 'a signal to the same user');
  t.equal(await reach(['signal', String(outside)]), 0, 'without rules');
  t.equal(await reach(['connect-abstract', name], within), denied, 'an abstract socket');
  t.equal(await reach(['connect-abstract', name]), 0, 'without rules');
  t.equal(await reach(['trace', String(outside)], within), errno.EPERM, 'ptrace');
  t.equal(await reach(['trace', String(outside)]), 0, 'without rules');
  t.equal(await reach(['signal-own-child', '-'], within), 0, 'but a child of its own');
});

/** A process of the same user, held by no rules, that listens on an abstract socket. */
async function listener(t: Test, name: string): Promise<number> {
  const out = memfd('output');
  const args = ['reaching', 'listen-abstract', name];
  const file = `${top}/bin/reaching`;
  const { pid } = launch(planned({ file, args, identity: somebody, descriptors: [-1, out, out] }));
  t.teardown(async () => {
    process.kill(pid, 'SIGKILL');
    await deathOf(pid);
    close(out);
  });
  await until('the listener', () => readFileSync(`/proc/self/fd/${out}`, 'utf8') === 'listening\n');
  return pid;
}

t.test('the program has no descriptor of the rules', async (t) => {
  const { output } = await run({
    file: '/bin/ls',
    args: ['ls', '-l', '/proc/self/fd'],
    landlock: { ...rules, read: ['/usr', '/proc'] },
  });
  t.equal(output.match(/ -> /g)?.length, 4, output);
});

function failureOf(
  spec: Omit<Partial<LaunchSpec>, 'landlock'> & { landlock: LandlockRules | undefined },
): object {
  try {
    launch({ ...planned({ file: '/bin/true', args: ['true'] }), ...spec } as LaunchSpec);
  } catch (thrown) {
    return (thrown as { detail: object }).detail;
  }
  return { none: 'it was launched' };
}

t.test('failures name the step, and the path where there is one', (t) => {
  mkdirSync(`${top}/real`);
  symlinkSync('real', `${top}/link`);
  const argument = { step: 'landlock', syscall: 'argument', errno: errno.EINVAL };
  const link = { step: 'landlock', syscall: 'openat2', errno: errno.ELOOP, file: `${top}/link` };
  t.match(failureOf({ landlock: { ...rules, read: [`${top}/link`] } }), link, 'a symbolic link');
  t.match(failureOf({ landlock: { ...rules, write: [`${top}/link/x`] } }), {
    step: 'landlock',
    errno: errno.ELOOP,
  });
  t.match(failureOf({ landlock: undefined }), argument, 'there but undefined');
  t.match(failureOf({ landlock: { ...rules, read: ['relative'] } }), argument);
  t.match(failureOf({ landlock: { ...rules, read: ['/usr\0/x'] } }), argument);
  t.match(failureOf({ landlock: { read: [], write: [] } as unknown as LandlockRules }), argument);
  t.match(failureOf({ landlock: { ...rules, read: [] } }), { step: 'exec', errno: errno.EACCES });
  t.end();
});

/** What two programs of ours say in a world made by `world`: one looks for Landlock, one launches with it. */
async function within(world: readonly string[]): Promise<unknown[]> {
  const spec = planned({ file: '/bin/true', args: ['true'], landlock: rules });
  const programs = [
    nodeProgram('landlock.child.js'),
    nodeProgram('launching.child.js', JSON.stringify({ specs: [spec] })),
  ];
  const said = [];
  for (const [, ...args] of programs) {
    const whole = [...world, process.execPath, ...args];
    said.push(JSON.parse((await run({ file: whole[0] ?? '', args: whole })).output) as unknown);
  }
  return said;
}

t.test('it is found, or the reason why there is none', async (t) => {
  t.match(await within([]), [{ abi }, { pid: Number }]);
  for (const [code, reason] of [
    [errno.ENOSYS, /older than Linux 5.13/],
    [errno.EOPNOTSUPP, /switched off/],
  ] as const) {
    t.match(await within([`${top}/bin/without-landlock`, String(code)]), [
      { abi: 0, reason },
      { step: 'landlock', syscall: 'landlock_create_ruleset', errno: code },
    ]);
  }
  t.match(await within(['/usr/bin/setpriv', '--bounding-set=-sys_admin']), [
    { abi: 0, reason: /CAP_SYS_ADMIN/ },
    { step: 'landlock', syscall: 'landlock_restrict_self', errno: errno.EPERM },
  ]);
});
