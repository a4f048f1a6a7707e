/** Directories that must be root's alone, with all that is on the way to them. */

import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { checkRootDirectory } from '../../src/config/root-directory.js';

const stranger = 64_952;

function directory(t: Test): string {
  const path = mkdtempSync('/tmp/guise-way-');
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  chmodSync(path, 0o755);
  mkdirSync(`${path}/a/b/c`, { recursive: true, mode: 0o755 });
  return path;
}

t.test('what is fine', async (t) => {
  const base = directory(t);
  symlinkSync('a/b', `${base}/relative`);
  symlinkSync(`${base}/a`, `${base}/absolute`);
  symlinkSync('../a/./b', `${base}/a/up`);
  for (const path of [
    '/',
    '/run',
    `${base}/a/b/c`,
    `${base}/a//b/./c/`,
    `${base}/relative/c`,
    `${base}/absolute/b`,
    `${base}/a/up/c`,
    `${base}/a/b/not-yet/made`,
  ]) {
    t.equal(checkRootDirectory(path), undefined, path);
  }
});

t.test('a directory of somebody else, on the way and at its end', async (t) => {
  const base = directory(t);
  chownSync(`${base}/a/b`, stranger, 0);
  t.match(checkRootDirectory(`${base}/a/b`), {
    message: `${base}/a/b belongs to somebody`,
    found: `owner uid ${stranger}`,
    remedy: `chown -h root ${base}/a/b`,
  });
  t.match(checkRootDirectory(`${base}/a/b/c`), {
    message: `${base}/a/b, on the way to ${base}/a/b/c, belongs to somebody`,
    remedy: /another directory/,
  });
  t.match(checkRootDirectory(`${base}/a/b/not-yet`), { found: `owner uid ${stranger}` });
});

t.test('a directory that others may write to', async (t) => {
  const base = directory(t);
  for (const [mode, found] of [
    [0o777, 'mode 0777'],
    [0o757, 'mode 0757'],
    [0o775, 'mode 0775, group 0'],
  ] as const) {
    chmodSync(`${base}/a`, mode);
    for (const path of [`${base}/a`, `${base}/a/b/c`]) {
      t.match(
        checkRootDirectory(path),
        { found, expected: 'mode 0755', remedy: `chmod go-w ${base}/a` },
        path,
      );
    }
  }
});

t.test('a sticky one protects what is root’s in it, but is none itself', async (t) => {
  const base = directory(t);
  chmodSync(`${base}/a`, 0o1777);
  t.equal(checkRootDirectory(`${base}/a/b`), undefined);
  t.match(checkRootDirectory(`${base}/a`), { found: 'mode 01777' });
  chownSync(`${base}/a/b`, stranger, 0);
  t.match(checkRootDirectory(`${base}/a/b/c`), { found: `owner uid ${stranger}` });
  symlinkSync('/etc', `${base}/a/link`);
  lchownSync(`${base}/a/link`, stranger, 0);
  t.match(
    checkRootDirectory(`${base}/a/link`),
    { found: `owner uid ${stranger}` },
    'a link of somebody else',
  );
});

t.test('a group that is allowed', async (t) => {
  const base = directory(t);
  chownSync(`${base}/a`, 0, 4);
  chmodSync(`${base}/a`, 0o775);
  t.match(checkRootDirectory(`${base}/a/b`), { found: 'mode 0775, group 4' });
  t.equal(checkRootDirectory(`${base}/a/b`, { groupsBelow: 1000 }), undefined);
  t.match(checkRootDirectory(`${base}/a/b`, { groupsBelow: 4 }), { found: 'mode 0775, group 4' });
  t.match(
    checkRootDirectory(`${base}/a`, { groupsBelow: 1000 }),
    { found: 'mode 0775, group 4' },
    'on the way only',
  );
  chmodSync(`${base}/a`, 0o777);
  t.match(checkRootDirectory(`${base}/a/b`, { groupsBelow: 1000 }), { found: 'mode 0777' });
});

t.test('what is no directory', async (t) => {
  const base = directory(t);
  writeFileSync(`${base}/file`, '');
  t.match(checkRootDirectory(`${base}/file`), { message: /is no directory/, found: 'a file' });
  t.match(checkRootDirectory(`${base}/file/x`), { message: /on the way .* is no directory/ });
  symlinkSync('loop', `${base}/loop`);
  t.match(checkRootDirectory(`${base}/loop/x`), { found: 'too many symbolic links' });
});
