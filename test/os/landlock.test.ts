/**
 * Each right over files, in a directory that may be written, one that may be read, and one that is not mentioned.
 * File modes permit everything everywhere, so whatever is denied was denied by Landlock; a last run without rules
 * shows that nothing else does it.
 */

import { chmodSync, copyFileSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { errno, errnoName } from '../../src/os/errno.js';
import { landlockSupport } from '../../src/os/landlock.js';
import type { LandlockRules } from '../../src/os/launch.js';
import { compile, openDirectory } from './compiled.js';
import { run } from './running.js';

const somebody = { uid: 61_001, gid: 61_002, groups: [61_002] };
const { abi } = landlockSupport();
t.ok(abi >= 1, 'this kernel has Landlock; without it nothing here can be tested');

const top = openDirectory(t);
mkdirSync(`${top}/bin`, 0o755);
await compile('os/reaching.c', `${top}/bin/reaching`);
const places = ['written', 'written2', 'shown', 'hidden'] as const;

/** Everything as at the beginning, with modes that permit everything. */
function layOut(): void {
  for (const place of places) {
    const directory = `${top}/${place}`;
    rmSync(directory, { recursive: true, force: true });
    for (const name of [directory, `${directory}/sub`, `${directory}/empty`]) {
      mkdirSync(name);
      chmodSync(name, 0o777);
    }
    writeFileSync(`${directory}/file`, 'text');
    chmodSync(`${directory}/file`, 0o666);
    copyFileSync('/bin/true', `${directory}/sub/program`);
    chmodSync(`${directory}/sub/program`, 0o777);
  }
}

const rules: LandlockRules = {
  read: ['/usr', '/etc', `${top}/bin`, `${top}/shown`, `${top}/does/not/exist`],
  write: [`${top}/written`, `${top}/written2`],
  devices: ['/dev/null'],
};

/** The name of the error that the kernel answers with; '' for success. */
async function attempt(landlock: LandlockRules | undefined, ...args: string[]): Promise<string> {
  const { output } = await run({
    file: `${top}/bin/reaching`,
    args: ['reaching', ...args.map((arg) => arg.replace('@', top))],
    identity: somebody,
    ...(landlock === undefined ? {} : { landlock }),
  });
  const code = Number.parseInt(output, 10);
  return code === 0 ? '' : errnoName(code);
}

/** Operation and file beneath the place; then what is answered in written, shown and hidden. */
const table: readonly (readonly [string, string, string, string, string])[] = [
  ['read', 'file', '', '', 'EACCES'],
  ['list', '', '', '', 'EACCES'],
  ['list', 'sub', '', '', 'EACCES'],
  ['execute', 'sub/program', '', '', 'EACCES'],
  ['write', 'file', '', 'EACCES', 'EACCES'],
  ['truncate', 'file', '', abi >= 3 ? 'EACCES' : '', abi >= 3 ? 'EACCES' : ''],
  ['make', 'new', '', 'EACCES', 'EACCES'],
  ['nameless', '', '', 'EACCES', 'EACCES'],
  ['mkdir', 'new', '', 'EACCES', 'EACCES'],
  ['mkfifo', 'new', '', 'EACCES', 'EACCES'],
  ['bind', 'new', '', 'EACCES', 'EACCES'],
  ['symlink', 'new', '', 'EACCES', 'EACCES'],
  ['unlink', 'file', '', 'EACCES', 'EACCES'],
  ['rmdir', 'empty', '', 'EACCES', 'EACCES'],
  // The device 0:0 is one that anybody may make: overlay file systems use it to hide a file.
  ['device', 'new', 'EACCES', 'EACCES', 'EACCES'],
];

for (const [operation, file, ...expected] of table) {
  t.test(`${operation} ${file}`, async (t) => {
    for (const [index, place] of (['written', 'shown', 'hidden'] as const).entries()) {
      layOut();
      t.equal(await attempt(rules, operation, `@/${place}/${file}`), expected[index], place);
      layOut();
      t.equal(await attempt(undefined, operation, `@/${place}/${file}`), '', `${place}, without rules`);
    }
  });
}

t.test('files move only between directories that may be written', async (t) => {
  const across = abi >= 2 ? '' : 'EXDEV';
  const moves: readonly (readonly [string, string, RegExp])[] = [
    ['written/file', 'written/renamed', /^$/],
    ['written/file', 'written/sub/renamed', new RegExp(`^${across}$`)],
    ['written/file', 'written2/renamed', new RegExp(`^${across}$`)],
    ['written/file', 'shown/renamed', /^(EACCES|EXDEV)$/],
    ['written/file', 'hidden/renamed', /^(EACCES|EXDEV)$/],
    ['shown/file', 'written/renamed', /^(EACCES|EXDEV)$/],
    ['hidden/file', 'written/renamed', /^(EACCES|EXDEV)$/],
  ];
  for (const operation of ['rename', 'link']) {
    for (const [from, to, expected] of moves) {
      layOut();
      t.match(
        await attempt(rules, operation, `@/${from}`, `@/${to}`),
        expected,
        `${operation} ${from} ${to}`,
      );
      layOut();
      t.equal(await attempt(undefined, operation, `@/${from}`, `@/${to}`), '', `${from}, without rules`);
    }
  }
});

t.test('devices', async (t) => {
  t.equal(await attempt(rules, 'read', '/dev/null'), '');
  t.equal(await attempt(rules, 'write', '/dev/null'), '');
  t.equal(await attempt(rules, 'read', '/dev/zero'), 'EACCES', 'one that is not mentioned');
  t.equal(await attempt(undefined, 'read', '/dev/zero'), '');
  const terminals = realpathSync('/dev/ptmx');
  const opened = { ...rules, write: [terminals] };
  t.equal(await attempt(opened, 'control', terminals), '', 'one that may be written may be controlled');
  t.equal(await attempt(undefined, 'control', terminals), '');
});

t.test('file modes hold as before', async (t) => {
  layOut();
  chmodSync(`${top}/written/file`, 0o600);
  t.equal(await attempt(rules, 'read', '@/written/file'), errnoName(errno.EACCES));
});

t.test('root is held too', async (t) => {
  layOut();
  const { output } = await run({
    file: `${top}/bin/reaching`,
    args: ['reaching', 'read', `${top}/hidden/file`],
    landlock: rules,
  });
  t.equal(Number(output), errno.EACCES);
});
