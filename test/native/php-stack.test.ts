/**
 * The program that reads PHP's stack, on memories that no PHP has ever had: whatever lies there, it ends, says little, and
 * says it in lines. (A journey has it read real workers.)
 */

import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { stackProgram } from '../../src/os/addon.js';
import { close, memfd } from '../../src/os/socket.js';
import { framesOf } from '../../src/router/stack.js';
import { type Ended, run } from '../os/running.js';

const engine = 0x0402;
const globals = 4096;
const current = globals + 488;
const imageBytes = 64 * 1024;
const nobody = { uid: 65_534, gid: 65_534, groups: [65_534] };

function readable(t: Test, mode: number): string {
  const directory = mkdtempSync('/tmp/guise-stack-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  copyFileSync(stackProgram(), `${directory}/program`);
  chmodSync(`${directory}/program`, mode);
  return `${directory}/program`;
}

async function read(program: string, image: Buffer, version = engine): Promise<Ended> {
  const memory = memfd('memory');
  const file = openSync(program, 'r');
  try {
    writeSync(memory, image, 0, image.length, 0);
    return await run(
      {
        file: '/proc/self/fd/3',
        args: ['guise-php-stack', String(globals), String(version)],
        identity: nobody,
        limits: { cpu: 2 },
      },
      [file, memory],
    );
  } finally {
    closeSync(file);
    close(memory);
  }
}

/** Frames in a row, each at its address; the last one leads to `last`. */
function frames(addresses: readonly number[], last: bigint): Buffer {
  const image = Buffer.alloc(imageBytes);
  const string = 32_768;
  image.writeBigUInt64LE(3n, string + 16);
  image.write('f\n\u001b', string + 24);
  const func = 40_960;
  image[func] = 2;
  image.writeBigUInt64LE(BigInt(string), func + 8);
  image.writeBigUInt64LE(BigInt(addresses[0] ?? 0), current);
  for (const [i, address] of addresses.entries()) {
    image.writeBigUInt64LE(BigInt(func), address + 24);
    image.writeBigUInt64LE(BigInt(addresses[i + 1] ?? last), address + 48);
  }
  return image;
}

t.test('what nobody can use it for', async (t) => {
  const hidden = readable(t, 0o711);
  const image = frames([8192], 0n);
  t.equal((await read(hidden, image)).output, 'f??() \n');
  t.equal((await read(hidden, image, 0x0403)).output, '!unknown-php');
  t.equal((await read(hidden, Buffer.alloc(imageBytes))).output, '!no-script');
  t.equal((await read(hidden, Buffer.alloc(100))).output, '!unreadable');
  t.equal((await read(readable(t, 0o755), image)).output, '!unsafe', 'its user could look into it');
});

t.test('a circle ends', async (t) => {
  const { output, death } = await read(readable(t, 0o711), frames([8192, 9216], 8192n));
  t.same([death.exitCode, death.signal], [0, null]);
  t.equal(output.split('\n').length, 33);
});

t.test('any memory', async (t) => {
  const hidden = readable(t, 0o711);
  const pointer = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: imageBytes }).map(BigInt) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  );
  const property = fc.asyncProperty(
    fc.array(pointer, { minLength: 20, maxLength: 200 }),
    fc.array(fc.tuple(fc.nat(imageBytes / 8 - 1), pointer), { maxLength: 50 }),
    async (cells, others) => {
      const image = frames([8192, 9216, 10_240], 0n);
      for (const [i, value] of cells.entries())
        image.writeBigUInt64LE(value, (8192 + 8 * 7 * i) % (imageBytes - 8));
      for (const [at, value] of others) image.writeBigUInt64LE(value, 8 * at);
      const { death, output } = await read(hidden, image);
      const lines = output.split('\n');
      const isFlat = [...Buffer.from(output, 'latin1')].every(
        (byte) => byte === 10 || (byte >= 32 && byte !== 127),
      );
      return death.exitCode === 0 && output.length <= 16_384 && lines.length <= 33 && isFlat;
    },
  );
  await t.resolves(fc.assert(property, { numRuns: 300, interruptAfterTimeLimit: 3000 }));
});

t.test('what the router makes of it', (t) => {
  t.same(framesOf('a() /x.php:1\n\nmain /y.php:2\n'), ['a() /x.php:1', 'main /y.php:2']);
  t.equal(framesOf('!no-script'), 'no-script');
  t.equal(framesOf('!<script>'), 'unreadable', 'no word of its own');
  t.equal(framesOf('x\n'.repeat(9999)).length, 32);
  t.equal(framesOf('y'.repeat(9999))[0]?.length, 512);
  t.end();
});
