import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { quoteShell, readTomlFile } from '../../src/config/toml-file.js';

const directory = mkdtempSync('/tmp/guise-');
t.teardown(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'a.toml');

function problemOf(path: string) {
  const reading = readTomlFile(path);
  return 'problem' in reading ? reading.problem : undefined;
}

t.beforeEach(() => {
  rmSync(file, { force: true });
  writeFileSync(file, 'a = 1\n', { mode: 0o644 });
});

t.test('a good file is read', async (t) => {
  const reading = readTomlFile(file);
  t.match(reading, { toml: { raw: { a: 1 }, text: 'a = 1\n', mode: 0o644 } });
});

t.test('a file that its group or everybody may write is refused', async (t) => {
  for (const mode of [0o664, 0o646, 0o666]) {
    chmodSync(file, mode);
    t.match(problemOf(file), { message: /may write/, remedy: `chmod go-w ${file}` }, mode.toString(8));
  }
});

t.test('a file of another user is refused', async (t) => {
  chownSync(file, 5, 60);
  t.match(problemOf(file), { message: /belongs to/, found: 'owner uid 5', remedy: `chown root ${file}` });
});

t.test('a symbolic link is refused, whoever owns what it leads to', async (t) => {
  const link = join(directory, 'link.toml');
  symlinkSync(file, link);
  t.match(problemOf(link), { message: /symbolic link/, file: link });
});

t.test('what is no regular file is refused, and a FIFO does not block', async (t) => {
  const fifo = join(directory, 'fifo.toml');
  spawnSync('mkfifo', [fifo]);
  t.match(problemOf(fifo), { message: /no regular file/ });
  t.match(problemOf(directory), { message: /no regular file/ });
});

t.test('a missing file and one that is too large are problems', async (t) => {
  t.match(problemOf(join(directory, 'none.toml')), { found: 'ENOENT' });
  writeFileSync(file, `a = "${'x'.repeat(1024 * 1024)}"\n`);
  t.match(problemOf(file), { message: /too large/ });
});

t.test('what is not TOML is said with its line', async (t) => {
  writeFileSync(file, 'a = 1\n\nb = nonsense\n');
  t.match(problemOf(file), { line: 3, message: /not TOML/, found: 'b = nonsense' });
  writeFileSync(file, 'a = 1\na = 2\n');
  t.match(problemOf(file), { line: 2, message: /not TOML/ });
});

t.test('words for the shell', async (t) => {
  t.equal(quoteShell('/etc/a.toml'), '/etc/a.toml');
  t.equal(quoteShell("it's a $file"), "'it'\\''s a $file'");
});
