/** Memory that is shared with processes that nobody trusts. */

import { closeSync, ftruncateSync, writeSync } from 'node:fs';
import t from 'tap';
import { mapSharedMemory, sharedMemory } from '../../src/os/shared-memory.js';
import { close, memfd } from '../../src/os/socket.js';

t.test('everybody who maps it sees the same', (t) => {
  const fd = sharedMemory('test', 8192);
  const one = new Uint8Array(mapSharedMemory(fd));
  const other = new Uint8Array(mapSharedMemory(fd));
  closeSync(fd);
  t.equal(one.length, 8192);
  t.ok(one.every((byte) => byte === 0));
  one[5000] = 7;
  t.equal(other[5000], 7);
  t.end();
});

t.test('nobody can cut it short: whoever read behind its end would get SIGBUS', (t) => {
  const fd = sharedMemory('test', 4096);
  t.throws(() => ftruncateSync(fd, 0), { code: 'EPERM' });
  t.throws(() => ftruncateSync(fd, 8192), { code: 'EPERM' });
  const memory = new Uint8Array(mapSharedMemory(fd));
  writeSync(fd, Buffer.from([9]), 0, 1, 100);
  t.equal(memory[100], 9, 'its content may change');
  closeSync(fd);
  t.end();
});

t.test('memory that could be cut short is not mapped', (t) => {
  const fd = memfd('test');
  ftruncateSync(fd, 4096);
  t.throws(() => mapSharedMemory(fd), { code: 'SYSCALL_FAILED', detail: { syscall: 'mmap' } });
  close(fd);
  t.throws(() => mapSharedMemory(fd), { code: 'SYSCALL_FAILED' });
  t.end();
});
