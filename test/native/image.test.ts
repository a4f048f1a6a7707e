/** How a template's memory is arranged, as the kernel describes it: proc_pid_smaps(5). */

import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Rig, type RigOptions } from './rig.js';

const kib = 1024;
const page = 4 * kib;
const hugePage = 2 * kib * kib;
/** KPF_THP in linux/kernel-page-flags.h. */
const isHuge = 22n;

interface Area {
  readonly start: bigint;
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
    const from = BigInt(`0x${start}`);
    const bytes = Number(BigInt(`0x${end}`) - from);
    return {
      start: from,
      bytes,
      access,
      name,
      hugeBytes: size('AnonHugePages'),
      ownBytes: size('Anonymous'),
    };
  });
}

const constantsOf = (pid: number): Area[] =>
  areasOf(pid).filter(({ name }) => name.includes('guise-constants'));
const codeOf = (pid: number): Area[] =>
  areasOf(pid).filter(({ name, access, bytes }) => name === '' && access === 'r-xp' && bytes >= hugePage);

/** proc_pid_pagemap(5) and proc_kpageflags(5): how much of the heap is there, and how much of it in parts of huge pages. */
function heapOf(pid: number): { readonly heapBytes: number; readonly inLargePages: number } {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const flags = openSync('/proc/kpageflags', 'r');
  const word = (fd: number, index: bigint): bigint => {
    const bytes = Buffer.alloc(8);
    readSync(fd, bytes, 0, 8, 8n * index);
    return bytes.readBigUInt64LE();
  };
  let present = 0;
  let large = 0;
  for (const { start, bytes } of areasOf(pid).filter(({ name }) => name === '[heap]')) {
    for (let at = 0; at < bytes; at += page) {
      const entry = word(pagemap, (start + BigInt(at)) / BigInt(page));
      if (entry >> 63n === 0n) continue;
      present += page;
      if ((word(flags, entry & ((1n << 55n) - 1n)) >> isHuge) & 1n) large += page;
    }
  }
  closeSync(pagemap);
  closeSync(flags);
  return { heapBytes: present, inLargePages: large };
}

/** As guise starts it by default: without core files. */
const fresh: RigOptions = { oneJob: true, limits: { core: 0 } };

/** A template that has forked a worker, which has served a page. */
async function forked(t: Test, options: RigOptions, before?: (rig: Rig) => void): Promise<Rig> {
  const rig = new Rig(options);
  t.teardown(() => rig.stop());
  rig.file('a.php', '<?php echo "pages: ", strlen(phpversion()) > 0 ? "served" : "";');
  await rig.start();
  before?.(rig);
  await rig.fork(1);
  const { stdout } = await rig.run({ SCRIPT_FILENAME: `${rig.root}/a.php`, REQUEST_METHOD: 'GET' });
  t.match(stdout, /pages: served$/);
  return rig;
}

t.test('what the libraries have relocated is in a file, and nobody can write it', async (t) => {
  const { templatePid } = await forked(t, fresh);
  const constants = constantsOf(templatePid);
  t.ok(constants.length > 10, `${constants.length} areas`);
  for (const { access, ownBytes } of constants) {
    t.equal(access, 'r--p', 'private: whoever makes it writable writes a copy of his own');
    t.equal(ownBytes, 0);
  }
  for (const { start, bytes } of constants.slice(0, 1)) {
    const range = `${start.toString(16)}-${(start + BigInt(bytes)).toString(16)}`;
    const file = openSync(`/proc/${templatePid}/map_files/${range}`, 'r+');
    t.throws(() => writeSync(file, 'x'), { code: 'EPERM' }, 'sealed');
    closeSync(file);
  }
  const others = areasOf(templatePid).filter(({ access, ownBytes }) => access === 'r--p' && ownBytes > 0);
  t.same(others, [], 'no other constants are copies');
});

t.test('the code is in huge pages, and cannot be written', async (t) => {
  const { templatePid } = await forked(t, fresh);
  const code = codeOf(templatePid);
  t.equal(code.length, 1);
  t.equal(code[0]?.bytes, code[0]?.hugeBytes);
});

/** A no-op between functions, of ten bytes; with another displacement it is still one. */
const filling = Buffer.from('662e0f1f840000000000', 'hex');

/** Changes a byte of the program's code as a debugger would: in a copy of the page that is the process's own. */
function changeCode(pid: number): void {
  const code = areasOf(pid).filter(({ name, access }) => access === 'r-xp' && name.includes('php-cgi'))[0];
  if (code === undefined) throw new Error('no code');
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  const text = Buffer.alloc(code.bytes);
  readSync(memory, text, 0, text.length, code.start);
  // One in every huge page, whichever of them is arranged.
  const changed = new Set<bigint>();
  for (let at = text.indexOf(filling); at >= 0; at = text.indexOf(filling, at + 1)) {
    const place = code.start + BigInt(at) + 9n;
    if (changed.has(place / BigInt(hugePage))) continue;
    changed.add(place / BigInt(hugePage));
    writeSync(memory, Buffer.of(1), 0, 1, Number(place));
  }
  closeSync(memory);
}

t.test('code that is not as in its file stays where it is: a breakpoint must not be copied', async (t) => {
  const { templatePid } = await forked(t, fresh, (rig) => changeCode(rig.templatePid));
  t.same(codeOf(templatePid), []);
});

t.test('the heap that PHP has filled is in huge pages', async (t) => {
  const { templatePid } = await forked(t, fresh);
  const { heapBytes, inLargePages } = heapOf(templatePid);
  t.ok(inLargePages > heapBytes / 2, `of ${heapBytes} bytes ${inLargePages}`);
});

t.test('a pool forks seldom, and is left alone', async (t) => {
  const { templatePid } = await forked(t, {});
  t.same(constantsOf(templatePid), []);
  t.same(codeOf(templatePid), []);
});

t.test('nothing is arranged that a limit forbids, and PHP serves', async (t) => {
  const { templatePid } = await forked(t, { oneJob: true, limits: { core: 0, fsize: 0 } });
  t.same(constantsOf(templatePid), []);
});

t.test('a site that wants core files keeps its constants, for a core file leaves a file out', async (t) => {
  const { templatePid } = await forked(t, { oneJob: true, limits: { core: 1024 * kib } });
  t.same(constantsOf(templatePid), []);
});
