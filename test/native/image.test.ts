/** How a template's memory is arranged, as the kernel describes it: proc_pid_smaps(5). */

import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Rig, type RigOptions } from './rig.js';

const kib = 1024;
const hugePage = 2 * kib * kib;

interface Area {
  readonly bytes: number;
  /** As in `r-xp`. */
  readonly access: string;
  /** Empty for memory that is no file's. */
  readonly name: string;
  /** In huge pages. */
  readonly hugeBytes: number;
  /** Its own copies, which a fork counts one by one unless they are huge. */
  readonly ownBytes: number;
}

function areasOf(pid: number): Area[] {
  const areas = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return areas.map((text) => {
    const [, start = '', end = '', access = '', name = ''] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)/.exec(text) ?? [];
    const size = (key: string): number => Number(new RegExp(`^${key}: +(\\d+)`, 'm').exec(text)?.[1]) * kib;
    const bytes = Number(BigInt(`0x${end}`) - BigInt(`0x${start}`));
    return { bytes, access, name, hugeBytes: size('AnonHugePages'), ownBytes: size('Anonymous') };
  });
}

const constantsOf = (pid: number): Area[] =>
  areasOf(pid).filter(({ name }) => name.includes('guise-constants'));
const codeOf = (pid: number): Area[] =>
  areasOf(pid).filter(({ name, access, bytes }) => name === '' && access === 'r-xp' && bytes >= hugePage);

async function started(t: Test, options: RigOptions = {}): Promise<Rig> {
  const rig = new Rig(options);
  t.teardown(() => rig.stop());
  rig.file('a.php', '<?php echo "pages: ", strlen(phpversion()) > 0 ? "served" : "";');
  await rig.start();
  return rig;
}

async function serves(t: Test, rig: Rig): Promise<void> {
  await rig.fork(1);
  const { stdout } = await rig.run({ SCRIPT_FILENAME: `${rig.root}/a.php`, REQUEST_METHOD: 'GET' });
  t.match(stdout, /pages: served$/);
}

t.test('what the libraries have relocated is in a file, and nobody can write it', async (t) => {
  const rig = await started(t);
  const constants = constantsOf(rig.templatePid);
  t.ok(constants.length > 10, `${constants.length} areas`);
  for (const { access, ownBytes } of constants) {
    t.equal(access, 'r--p', 'private: whoever makes it writable writes a copy of his own');
    t.equal(ownBytes, 0);
  }
  const others = areasOf(rig.templatePid).filter(({ access, ownBytes }) => access === 'r--p' && ownBytes > 0);
  t.same(others, [], 'no other constants are copies');
  await serves(t, rig);
});

t.test('the heap that PHP has filled is a huge page', async (t) => {
  const rig = await started(t);
  const heap = areasOf(rig.templatePid).filter(({ name }) => name === '[heap]');
  const own = heap.reduce((total, { ownBytes }) => total + ownBytes, 0);
  const huge = heap.reduce((total, { hugeBytes }) => total + hugeBytes, 0);

  t.ok(huge > own / 2, `of ${own} bytes ${huge} are huge`);
  await serves(t, rig);
});

t.test('a pool has its code from the file that all share', async (t) => {
  const rig = await started(t);
  await serves(t, rig);
  t.same(codeOf(rig.templatePid), []);
});

t.test('for forks for each request the code is in huge pages', async (t) => {
  const rig = await started(t, { oneJob: true });
  t.same(codeOf(rig.templatePid), [], 'not before one is asked for');
  await serves(t, rig);
  const code = codeOf(rig.templatePid);
  t.equal(code.length, 1);
  t.equal(code[0]?.bytes, code[0]?.hugeBytes);
});

t.test('nothing is arranged that a limit forbids, and PHP serves', async (t) => {
  const small = { fsize: 0 };
  const rig = await started(t, { limits: small });
  t.same(constantsOf(rig.templatePid), []);
  await serves(t, rig);
});
