import t from 'tap';
import { preloadLibrary } from '../../src/os/addon.js';
import { run } from '../os/running.js';

async function outputOf(file: string, ...args: string[]): Promise<string> {
  const { death, output } = await run({
    file,
    args: [file, ...args],
    env: { PATH: '/usr/bin', LC_ALL: 'C' },
  });
  if (death.exitCode !== 0) throw new Error(output);
  return output;
}

t.test('the library needs nothing but the C library', async (t) => {
  const dynamic = await outputOf('/usr/bin/readelf', '-d', preloadLibrary());
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name = '']) => name);
  t.ok(needed.includes('libc.so.6'));
  t.same(
    needed.filter((name) => !/^(libc\.so\.6|ld-linux.*)$/.test(name)),
    [],
  );
});

t.test('it shows nothing but functions of the C library that it stands for', async (t) => {
  const listed = await outputOf('/usr/bin/nm', '-D', '--defined-only', preloadLibrary());
  const names = listed
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1) ?? '');
  t.ok(names.includes('accept'), listed);
  const ofLibc = await outputOf('/usr/bin/nm', '-D', '--defined-only', (await libcPath()) ?? '');
  const known = new Set(ofLibc.split('\n').map((line) => (line.split(' ').at(-1) ?? '').replace(/@.*/, '')));
  t.same(
    names.filter((name) => !known.has(name)),
    [],
  );
});

async function libcPath(): Promise<string | undefined> {
  const loaded = await outputOf('/usr/bin/ldd', preloadLibrary());
  return /libc\.so\.6 => (\S+)/.exec(loaded)?.[1];
}
