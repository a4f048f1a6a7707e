import { readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import type { Identity, LaunchSpec } from '../../src/os/launch.js';
import { launch } from '../../src/os/launch.js';
import { becomeSubreaper } from '../../src/os/reap.js';
import { close, memfd } from '../../src/os/socket.js';
import { deathOf, nodeProgram, planned, run, statusFields, until } from './running.js';

const somebody: Identity = { uid: 61001, gid: 61002, groups: [61002, 61004, 61003] };
const showStatus = { file: '/bin/cat', args: ['cat', '/proc/self/status'] };

async function limitsOf(limits: LaunchSpec['limits']): Promise<Map<string, string[]>> {
  const { output } = await run({
    file: '/bin/cat',
    args: ['cat', '/proc/self/limits'],
    limits: limits ?? {},
  });
  const rows = output.split('\n').map((line) => line.split(/ {2,}/));
  return new Map(rows.map(([name = '', soft = '', hard = '']) => [name, [soft, hard]]));
}

t.test('the program has the uid, the gid and all the groups asked for, and no capability', async (t) => {
  const { output } = await run({ ...showStatus, identity: somebody, noNewPrivileges: true });
  const status = statusFields(output);
  t.equal(status.get('Uid'), '61001\t61001\t61001\t61001');
  t.equal(status.get('Gid'), '61002\t61002\t61002\t61002');
  t.equal(status.get('Groups'), '61002 61003 61004');
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
    t.equal(status.get(set), '0000000000000000', set);
  t.equal(status.get('NoNewPrivs'), '1');
});

t.test('the program itself finds no way back', async (t) => {
  const script = 'setpriv --reuid 0 true || echo no uid; setpriv --regid 0 --keep-groups true || echo no gid';
  const { output } = await run({
    file: '/bin/sh',
    args: ['sh', '-c', script],
    env: { PATH: '/usr/bin' },
    identity: somebody,
  });
  t.match(output, /no uid(.|\n)*no gid/);
});

t.test('an empty list of groups leaves none of ours', async (t) => {
  const { output } = await run({ ...showStatus, identity: { uid: 61001, gid: 61002, groups: [] } });
  t.equal(statusFields(output).get('Groups'), '');
});

t.test('a group named twice is one group', async (t) => {
  const { output } = await run({
    ...showStatus,
    identity: { uid: 61001, gid: 61002, groups: [61005, 61002, 61005] },
  });
  t.equal(statusFields(output).get('Groups'), '61002 61005');
});

t.test('without an identity, and without more, nothing changes', async (t) => {
  const { output } = await run(showStatus);
  const [theirs, ours] = [statusFields(output), statusFields(readFileSync('/proc/self/status', 'utf8'))];
  for (const field of ['Uid', 'Gid', 'Groups', 'CapEff', 'NoNewPrivs', 'Umask']) {
    t.equal(theirs.get(field), ours.get(field), field);
  }
});

t.test('the arguments and the environment are exactly those given', async (t) => {
  const args = ['name of its own', '', 'a b', 'ü\n', '-0'];
  t.equal(
    (await run({ file: '/bin/cat', args: ['x', '/proc/self/cmdline'] })).output,
    'x\0/proc/self/cmdline\0',
  );
  const script = 'printf "<%s>" "$0" "$@"';
  const shown = await run({ file: '/bin/sh', args: ['sh', '-c', script, ...args] });
  t.equal(shown.output, '<name of its own><><a b><ü\n><-0>');
  const { output } = await run({
    file: '/usr/bin/env',
    args: ['env'],
    env: { A: 'b=c', EMPTY: '', 'odd name': 'ß' },
  });
  t.equal(output, 'A=b=c\nEMPTY=\nodd name=ß\n');
});

t.test('mask, niceness and directory', async (t) => {
  const script = 'umask; nice; pwd';
  const env = { PATH: '/usr/bin:/bin' };
  const { output } = await run({
    file: '/bin/sh',
    args: ['sh', '-c', script],
    env,
    umask: 0o137,
    nice: 7,
    cwd: '/usr/lib',
  });
  t.equal(output, '0137\n7\n/usr/lib\n');
});

t.test('limits are soft and hard', async (t) => {
  const limits = await limitsOf({
    as: 3_000_000_000,
    core: 0,
    cpu: 33,
    data: 2_000_000_000,
    fsize: 5_000_001,
    memlock: 4096,
    msgqueue: 1000,
    nofile: 77,
    nproc: 5000,
    sigpending: 55,
    stack: 1_000_000,
  });
  t.same(limits.get('Max address space'), ['3000000000', '3000000000']);
  t.same(limits.get('Max core file size'), ['0', '0']);
  t.same(limits.get('Max cpu time'), ['33', '33']);
  t.same(limits.get('Max data size'), ['2000000000', '2000000000']);
  t.same(limits.get('Max file size'), ['5000001', '5000001']);
  t.same(limits.get('Max locked memory'), ['4096', '4096']);
  t.same(limits.get('Max msgqueue size'), ['1000', '1000']);
  t.same(limits.get('Max open files'), ['77', '77']);
  t.same(limits.get('Max processes'), ['5000', '5000']);
  t.same(limits.get('Max pending signals'), ['55', '55']);
  t.same(limits.get('Max stack size'), ['1000000', '1000000']);
});

t.test('Infinity lifts a limit', async (t) => {
  const limits = await limitsOf({ core: Number.POSITIVE_INFINITY });
  t.same(limits.get('Max core file size'), ['unlimited', 'unlimited']);
});

t.test('a session of its own, or ours', async (t) => {
  const showStat = { file: '/bin/cat', args: ['cat', '/proc/self/stat'] };
  const groupAndSession = (stat: string) => stat.split(' ').slice(4, 6).map(Number);
  const own = await run({ ...showStat, newSession: true });
  t.same(groupAndSession(own.output), [own.death.pid, own.death.pid]);
  const shared = await run(showStat);
  t.same(groupAndSession(shared.output), groupAndSession(readFileSync('/proc/self/stat', 'latin1')));
});

t.test('signals that we ignore or catch are as new', async (t) => {
  const ours = statusFields(readFileSync('/proc/self/status', 'utf8'));
  t.not(BigInt(`0x${ours.get('SigIgn') ?? '0'}`), 0n, 'Node ignores SIGPIPE');
  t.not(BigInt(`0x${ours.get('SigCgt') ?? '0'}`), 0n, 'and we catch SIGCHLD');
  const theirs = statusFields((await run(showStatus)).output);
  for (const field of ['SigIgn', 'SigBlk', 'SigCgt']) t.equal(theirs.get(field), '0000000000000000', field);
});

t.test('a list of descriptors that is too short is filled up with /dev/null', async (t) => {
  const out = memfd('output');
  t.teardown(() => close(out));
  const { pid } = launch(
    planned({ file: '/bin/ls', args: ['ls', '-l', '/proc/self/fd'], descriptors: [-1, out] }),
  );
  t.equal((await deathOf(pid)).exitCode, 0);
  const links = linksIn(readFileSync(`/proc/self/fd/${out}`, 'utf8'));
  t.same([links.get(0), links.get(1), links.get(2)], ['/dev/null', '/memfd:output (deleted)', '/dev/null']);
});

/** Number to target, from the output of ls -l /proc/self/fd. */
function linksIn(listing: string): Map<number, string> {
  const found = [...listing.matchAll(/ (\d+) -> (.*)$/gm)];
  return new Map(found.map(([, fd = '', target = '']) => [Number(fd), target]));
}

t.test('descriptors change places, and nothing else is inherited', async (t) => {
  const [a, out, b, c] = [memfd('a'), memfd('out'), memfd('b'), memfd('c')];
  t.teardown(() => [a, out, b, c].forEach(close));
  // In the process between, 0 to 4 are inheritable: a, out, out, b, c. The pipe for reports will need number 4.
  const list = planned({ file: '/bin/ls', args: ['ls', '-l', '/proc/self/fd'], descriptors: [4, 1, 3, 0] });
  const args = nodeProgram('launching.child.js', JSON.stringify({ specs: [list] }));
  const { pid } = launch(planned({ file: process.execPath, args, descriptors: [a, out, out, b, c] }));
  t.equal((await deathOf(pid)).exitCode, 0);
  const text = readFileSync(`/proc/self/fd/${out}`, 'utf8');
  const links = linksIn(text);
  const name = (of: string) => `/memfd:${of} (deleted)`;
  t.same(
    [0, 1, 2, 3].map((fd) => links.get(fd)),
    [name('c'), name('out'), name('b'), name('a')],
    text,
  );
  t.match(links.get(4), /^\/proc\/\d+\/fd$/, 'opened by ls');
  t.equal(links.size, 5, text);
});

t.test('our own descriptors stay as they were', async (t) => {
  const before = [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
  await run({ file: '/bin/true', args: ['true'] });
  t.same(
    [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
    before,
  );
});

t.test('the signal for a parent that dies', async (t) => {
  becomeSubreaper();
  const out = memfd('output');
  t.teardown(() => close(out));
  const sleep = planned({
    file: '/bin/sleep',
    args: ['sleep', '600'],
    parentDeathSignal: 15,
    identity: somebody,
  });
  const args = nodeProgram('launching.child.js', JSON.stringify({ specs: [sleep], stay: true }));
  const { pid } = launch(planned({ file: process.execPath, args, descriptors: [-1, out, 2] }));
  const said = () => readFileSync(`/proc/self/fd/${out}`, 'utf8');
  await until('the launch', () => said().endsWith('\n'));
  const grandchild = (JSON.parse(said()) as { pid: number }).pid;
  process.kill(pid, 'SIGKILL');
  t.equal((await deathOf(pid)).signal, 9);
  t.equal((await deathOf(grandchild)).signal, 15);
});
