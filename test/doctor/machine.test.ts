/** Checks about the machine, on machines that are told: each silent on a good one, and loud on a bad one. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import t from 'tap';
import type { Ailment, Look } from '../../src/doctor/check.js';
import { checks } from '../../src/doctor/checks.js';
import { type Machine, thisMachine } from '../../src/doctor/machine.js';
import { finish } from '../../src/quickstart/command.js';
import { readSites } from '../../src/site/registry.js';
import { type Instance, makeInstance, siteText } from '../site/instance.js';

const good: Machine = {
  ...thisMachine,
  memoryBytes: () => 64 * 1024 ** 3,
  nowMs: Date.now,
  landlock: () => ({ abi: 6 }),
  pidMax: () => 4_194_304,
  threadsMax: () => 127_000,
  processes: () => [],
  openFiles: () => ({ soft: 1_048_576, hard: 1_048_576 }),
  room: () => ({ freeBytes: 1024 ** 3, sizeBytes: 1024 ** 4, freeInodes: 5000, inodes: 10_000 }),
  poolDirectories: () => [],
  groups: () => ({
    directory: '/sys/fs/cgroup/system.slice/guise.service',
    controllers: ['cpu', 'memory', 'pids'],
    reason: '',
    remedy: '',
  }),
};

async function examine(
  instance: Instance,
  id: string,
  machine: Partial<Machine> = {},
): Promise<readonly Ailment[]> {
  const config = instance.config();
  const look: Look = {
    config,
    problems: [],
    registry: readSites(config),
    webs: [],
    machine: { ...good, ...machine },
  };
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  return check.examine(look);
}

function instanceOf(t: Parameters<typeof makeInstance>[0], toml = ''): Instance {
  const instance = makeInstance(t, toml);
  instance.site('a.example.toml', siteText(instance, 'a.example', 'memory_max = "1G"\n'));
  for (const name of ['run', 'state', 'log']) mkdirSync(`${instance.directory}/${name}`);
  return instance;
}

const bad: readonly (readonly [string, Partial<Machine>, Partial<Record<keyof Ailment, RegExp>>])[] = [
  ['landlock', { landlock: () => ({ abi: 0, reason: 'switched off' }) }, { found: /switched off/ }],
  ['landlock-old', { landlock: () => ({ abi: 3 }) }, { found: /version 3/ }],
  [
    'cgroup',
    { groups: () => ({ controllers: [], reason: 'no cgroup version 2', remedy: 'mount one' }) },
    { message: /found by its processes: no cgroup version 2/, found: /none/, remedy: /mount one/ },
  ],
  [
    'cgroup',
    { groups: () => ({ directory: '/a', controllers: [], reason: 'in version 1', remedy: '' }) },
    { message: /nothing limits it there: in version 1/ },
  ],
  [
    'site-group',
    { groups: () => ({ directory: '/a', controllers: ['pids', 'cpu'], reason: '', remedy: '' }) },
    { message: /memory_max of a.example cannot be held: it does not run/, remedy: /--unset memory_max/ },
  ],
  [
    'process-numbers',
    { pidMax: () => 1000 },
    { about: /kernel.pid_max/, remedy: /^sysctl -w kernel.pid_max=\d+/ },
  ],
  ['process-numbers', { threadsMax: () => 1000 }, { remedy: /^sysctl -w kernel.threads-max=\d+/ }],
  [
    'memory',
    { memoryBytes: () => 256 * 1024 ** 2 },
    { found: /8 workers of 64 MiB \(assumed\), and 256 MiB/, expected: /at most 4/ },
  ],
  [
    'disk',
    { room: () => ({ freeBytes: 1024 ** 2, sizeBytes: 1024 ** 4, freeInodes: 1, inodes: 1 }) },
    { found: /1 MiB free/ },
  ],
  [
    'disk',
    { room: () => ({ freeBytes: 1024 ** 4, sizeBytes: 1024 ** 4, freeInodes: 1, inodes: 1000 }) },
    { found: /1 inodes free of 1000/ },
  ],
  ['clock', { nowMs: () => 0 }, { message: /not set/, found: /1970/ }],
];

t.test('a good machine', async (t) => {
  const instance = instanceOf(t);
  for (const id of new Set(bad.map(([one]) => one))) t.same(await examine(instance, id), [], id);
});

for (const [id, machine, wanted] of bad) {
  t.test(`${id}: ${Object.keys(machine).join()}`, async (t) => {
    const found = await examine(instanceOf(t), id, machine);
    t.match(found[0], wanted);
  });
}

t.test('memory: the command changes the line that there is, or adds one', async (t) => {
  for (const more of ['', 'max_workers = 300\n']) {
    const instance = instanceOf(t, more);
    const machine = { memoryBytes: () => 256 * 1024 ** 2 };
    const [found] = await examine(instance, 'memory', machine);
    const command = found?.remedy.replace(' && guise reload', '') ?? '';
    t.equal((await finish('sh', ['-c', command])).code, 0, command);
    t.equal(instance.config().limits.maxWorkers, 4);
    t.same(await examine(instance, 'memory', machine), []);
  }
});

t.test('disk: the command shows what takes the room', async (t) => {
  const instance = instanceOf(t);
  const file = `${instance.directory}/log/sites/a.example`;
  mkdirSync(file, { recursive: true });
  writeFileSync(`${file}/php.log`, Buffer.alloc(3 * 1024 ** 2));
  const room = { freeBytes: 0, sizeBytes: 1024 ** 4, freeInodes: 1, inodes: 1 };
  const found = await examine(instance, 'disk', {
    room: (path) => (path.endsWith('/log') ? room : undefined),
  });
  t.equal(found.length, 1);
  t.match(await finish('sh', ['-c', found[0]?.remedy ?? '']), { code: 0, stdout: /a\.example\n/ });
});

t.test(
  'log-rotation: large logs without a rule; the command writes one that logrotate would find',
  async (t) => {
    const instance = instanceOf(t);
    const rules = mkdtempSync('/tmp/guise-rules-');
    t.teardown(() => rmSync(rules, { recursive: true }));
    const machine = { logrotateDirectory: rules };
    writeFileSync(`${instance.directory}/log/guise.log`, '');
    t.same(await examine(instance, 'log-rotation', machine), [], 'small ones need none');
    truncateSync(`${instance.directory}/log/guise.log`, 300 * 1024 ** 2);
    const [found] = await examine(instance, 'log-rotation', machine);
    t.match(found, { found: '300 MiB', about: /guise.log$/ });
    t.equal((await finish('sh', ['-c', found?.remedy ?? ''])).code, 0);
    t.match(
      readFileSync(`${rules}/guise`, 'utf8'),
      /^\S+\/log\/guise.log \{\n weekly\n[\s\S]*\n {2}guise reopen --config \S+guise.toml\n endscript\n\}\n$/,
    );
    t.same(await examine(instance, 'log-rotation', machine), []);
  },
);

t.test('stale-files: a socket that nobody listens on', async (t) => {
  const instance = instanceOf(t);
  const path = `${instance.directory}/run/guise.sock`;
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  t.same(await examine(instance, 'stale-files'), []);
  // A socket whose owner was killed stays as a file.
  const kept = `${instance.directory}/run/control.sock`;
  await finish('python3', ['-c', `import socket; socket.socket(socket.AF_UNIX).bind("${kept}")`]);
  const [found] = await examine(instance, 'stale-files');
  t.match(found, { about: kept, remedy: `rm ${kept}` });
  t.equal((await finish('sh', ['-c', found?.remedy ?? ''])).code, 0);
  t.same(await examine(instance, 'stale-files'), []);
  await new Promise((resolve) => server.close(resolve));
});

t.test('daemon: none answers', async (t) => {
  const [found] = await examine(instanceOf(t), 'daemon');
  t.match(found, { remedy: /^systemctl start guise {3}# or: guise daemon --config / });
});
