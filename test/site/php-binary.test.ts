import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkPhpBinary } from '../../src/site/php-binary.js';

const directory = mkdtempSync('/tmp/guise-');
t.teardown(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'php-cgi');

/** An ELF header with program headers of these types and nothing else. */
function elf(types: readonly number[], form: { wide: boolean; little: boolean }): Buffer {
  const { wide, little } = form;
  const header = wide ? 64 : 52;
  const entry = wide ? 56 : 32;
  const image = Buffer.alloc(header + entry * types.length);
  image.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  const put = (at: number, value: number, size: number) =>
    little ? image.writeUIntLE(value, at, size) : image.writeUIntBE(value, at, size);
  // In the wide form e_phoff has eight bytes; the value fits into the low ones.
  put(wide ? (little ? 32 : 36) : 28, header, 4);
  put(wide ? 54 : 42, entry, 2);
  put(wide ? 56 : 44, types.length, 2);
  for (const [index, type] of types.entries()) put(header + index * entry, type, 4);
  return image;
}

function write(content: Buffer | string, mode = 0o755) {
  rmSync(file, { force: true });
  writeFileSync(file, content, { mode });
}

t.test("the distribution's php-cgi is fine", async (t) => {
  t.equal(checkPhpBinary('/usr/bin/php-cgi', 1000), undefined);
});

t.test('a dynamically linked program has PT_INTERP, in every width and byte order', async (t) => {
  for (const wide of [true, false]) {
    for (const little of [true, false]) {
      write(elf([6, 3, 1], { wide, little }));
      t.equal(checkPhpBinary(file, 1000), undefined, `${wide ? 64 : 32} bits, ${little ? 'little' : 'big'}`);
      write(elf([1, 1, 2], { wide, little }));
      t.match(checkPhpBinary(file, 1000), {
        message: /statically linked/,
        remedy: /apt-get install php-cgi/,
      });
    }
  }
});

t.test('other files are refused with what they are', async (t) => {
  t.match(checkPhpBinary(join(directory, 'none'), 1000), {
    message: /there is no PHP at/,
    remedy: 'apt-get install php-cgi',
  });
  write('#!/bin/sh\nexec php-cgi\n'.padEnd(100, '#'));
  t.match(checkPhpBinary(file, 1000), { message: /no ELF program/ });
  write('short');
  t.match(checkPhpBinary(file, 1000), { message: /no ELF program/ });
  write(elf([3], { wide: true, little: true }).subarray(0, 70));
  t.match(checkPhpBinary(file, 1000), { message: /no ELF program/ }, 'cut off in its table');
  write(elf([3], { wide: true, little: true }), 0o644);
  t.match(checkPhpBinary(file, 1000), { message: /is no program/ });
  t.match(checkPhpBinary(directory, 1000), { message: /is no program/ });
});

t.test('a program that others could change is refused', async (t) => {
  write(elf([3], { wide: true, little: true }));
  chmodSync(file, 0o775);
  t.match(checkPhpBinary(file, 5), { message: /can be changed/ });
  chmodSync(file, 0o755);
  chownSync(file, 5, 60);
  t.match(checkPhpBinary(file, 1000), { message: /can be changed/, found: /owner uid 5/ });
  t.equal(checkPhpBinary(file, 5), undefined, "the site's own user may bring his own");
});
