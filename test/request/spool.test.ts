import { spawnSync } from 'node:child_process';
import { fstatSync, mkdtempSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { errno } from '../../src/os/errno.js';
import { close } from '../../src/os/socket.js';
import { BodySpool, type StoredBody } from '../../src/request/spool.js';

const limits = { memoryBodyBytes: 100, memfdBodyBytes: 1000, spoolMinFreeBytes: 0 };
const directory = mkdtempSync(join(tmpdir(), 'guise-spool-'));
t.teardown(() => rmSync(directory, { recursive: true }));

/** Bytes that tell where in the body they belong. */
function some(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
}

function fill(spool: BodySpool, body: Buffer, size: number): number {
  for (let at = 0; at < body.length; at += size) {
    // Every chunk lies in the middle of a buffer that is used again.
    const piece = body.subarray(at, at + size);
    const chunk = Buffer.concat([Buffer.from('>>'), piece, Buffer.from('<<')]);
    const failure = spool.write(chunk, 2, 2 + piece.length);
    chunk.fill(0xee);
    if (failure !== 0) return failure;
  }
  return 0;
}

/** Reads a body as a worker does: from where the descriptor stands. */
function contents(body: StoredBody): Buffer {
  if (body.kind === 'memory') return body.buffer;
  const buffer = Buffer.alloc(body.length + 1);
  const length = readSync(body.fd, buffer, 0, buffer.length, null);
  close(body.fd);
  return buffer.subarray(0, length);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

for (const [length, kind] of [
  [0, 'memory'],
  [1, 'memory'],
  [100, 'memory'],
  [101, 'file'],
  [1000, 'file'],
  [1001, 'file'],
] as const) {
  for (const size of [1, 33, 100_000]) {
    for (const expected of [-1, length, 5000]) {
      t.test(`${length} bytes in pieces of ${size}, ${expected} announced`, async (t) => {
        const before = openDescriptors();
        const spool = new BodySpool(limits, directory, expected);
        t.equal(fill(spool, some(length), size), 0);
        t.equal(spool.length, length);
        const body = spool.take();
        t.match(body, { kind, length });
        t.same(contents(body), some(length));
        spool.close();
        t.equal(openDescriptors(), before);
      });
    }
  }
}

t.test('a large body is on disk, without a name', async (t) => {
  const spool = new BodySpool(limits, directory, -1);
  t.equal(fill(spool, some(900), 100), 0);
  t.equal(fill(spool, some(900), 100), 0);
  const body = spool.take();
  if (body.kind !== 'file') throw new Error('not a file');
  t.equal(fstatSync(body.fd).nlink, 0);
  t.equal(fstatSync(body.fd).size, 1800);
  t.same(readdirSync(directory), []);
  t.same(contents(body), Buffer.concat([some(900), some(900)]));
});

t.test('a middling one is in memory: it does not need the directory', async (t) => {
  const spool = new BodySpool(limits, '/nonexistent', -1);
  t.equal(fill(spool, some(1000), 300), 0);
  t.same(contents(spool.take()), some(1000));
});

t.test('a directory that is missing is a value', async (t) => {
  const before = openDescriptors();
  const spool = new BodySpool(limits, '/nonexistent', -1);
  t.equal(fill(spool, some(1001), 300), errno.ENOENT);
  t.equal(spool.length, 900, 'what was stored before is still there');
  spool.close();
  t.equal(openDescriptors(), before);
});

t.test('a file that may not grow, as on a full disk, is a value', async (t) => {
  const child = fileURLToPath(new URL('spooling.child.js', import.meta.url));
  // No environment: coverage files would meet the same limit.
  const run = spawnSync('prlimit', ['--fsize=5000', process.execPath, child, directory], { env: {} });
  t.equal(run.status, 0, String(run.stderr));
  t.same(JSON.parse(String(run.stdout)), { failure: errno.EFBIG, length: 4995, open: 1, afterClose: 0 });
});

t.test('closed in the middle, and twice', async (t) => {
  const before = openDescriptors();
  const spool = new BodySpool(limits, directory, -1);
  t.equal(fill(spool, some(500), 100), 0);
  t.equal(openDescriptors(), before + 1);
  spool.close();
  spool.close();
  t.equal(openDescriptors(), before);
  t.match(spool.take(), { kind: 'memory', length: 0 });
});

t.test('what was taken is the taker’s', async (t) => {
  const spool = new BodySpool(limits, directory, -1);
  fill(spool, some(500), 500);
  const body = spool.take();
  spool.close();
  t.same(contents(body), some(500));
  t.match(spool.take(), { kind: 'memory', length: 0 });
});

t.test('memory is set aside for what is there, not for what is announced', async (t) => {
  const wide = { memoryBodyBytes: 1024 * 1024, memfdBodyBytes: 2 * 1024 * 1024, spoolMinFreeBytes: 0 };
  const spool = new BodySpool(wide, directory, 1024 * 1024);
  t.equal(spool.write(Buffer.from('x'), 0, 1), 0);
  const body = spool.take();
  if (body.kind !== 'memory') throw new Error('not in memory');
  t.ok(body.buffer.buffer.byteLength <= 64 * 1024);
});

t.test('a body on disk leaves room to others, and one in memory needs none', async (t) => {
  const spool = new BodySpool({ ...limits, spoolMinFreeBytes: Number.MAX_SAFE_INTEGER }, directory, -1);
  t.equal(fill(spool, some(1000), 1000), 0);
  t.equal(fill(spool, some(1), 1), errno.ENOSPC);
  t.equal(spool.length, 1000, 'nothing of it is taken');
  spool.close();
});
