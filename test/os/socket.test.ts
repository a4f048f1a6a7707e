import { once } from 'node:events';
import { fstatSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { errno } from '../../src/os/errno.js';
import * as os from '../../src/os/socket.js';
import { socketCount, until } from './running.js';

const dir = mkdtempSync(join(tmpdir(), 'guise-socket-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const buffer = Buffer.alloc(1024);

/** The flags of a descriptor, open(2), as the kernel shows them. */
function flagsOf(fd: number): number {
  const [, octal = ''] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
  return Number.parseInt(octal, 8);
}

const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;

t.test('a connection, from listen to close', async (t) => {
  const path = join(dir, 'one.sock');
  const before = socketCount();
  const listener = os.listenUnix(path, 5);
  t.equal(os.accept(listener).fd, -errno.EAGAIN);
  t.equal(flagsOf(listener) & (nonBlocking | closeOnExec), nonBlocking | closeOnExec);

  const client = connect(path);
  await once(client, 'connect');
  const { fd, uid } = os.accept(listener);
  t.ok(fd > 2);
  t.equal(flagsOf(fd) & (nonBlocking | closeOnExec), nonBlocking | closeOnExec);
  t.equal(uid, 0);
  t.same(os.peerCredentials(fd), { pid: process.pid, uid: 0, gid: 0 });

  t.equal(os.receive(fd, buffer, 0, 1024), -errno.EAGAIN);
  client.write('question');
  let got = 0;
  await until('the question', () => {
    got = os.receive(fd, buffer, 3, 1000);
    return got !== -errno.EAGAIN;
  });
  t.equal(got, 8);
  t.equal(buffer.toString('latin1', 0, 12), '\0\0\0question\0');

  t.equal(os.send(fd, Buffer.from('the answer is'), 4, 6), 6);
  t.equal(os.shutdownWrite(fd), 0);
  const [answer] = (await once(client, 'data')) as [Buffer];
  t.equal(answer.toString(), 'answer');
  client.end();
  await until('the end', () => os.receive(fd, buffer, 0, 1024) === 0);
  t.equal(os.close(fd), 0);
  t.equal(os.close(fd), -errno.EBADF);
  t.equal(os.close(listener), 0);
  client.destroy();
  await until('no socket left', () => socketCount() === before);
});

t.test('pairs: one keeps messages apart, one does not', (t) => {
  const [a, b] = os.seqpacketPair();
  const [c, d] = os.streamPair();
  t.teardown(() => [a, b, c, d].forEach(os.close));
  for (const fd of [a, b, c, d]) {
    t.equal(flagsOf(fd) & (nonBlocking | closeOnExec), nonBlocking | closeOnExec);
  }
  for (const fd of [a, c]) {
    t.equal(os.send(fd, Buffer.from('one'), 0, 3), 3);
    t.equal(os.send(fd, Buffer.from('three'), 0, 5), 5);
  }
  t.equal(os.receive(b, buffer, 0, 1024), 3);
  t.equal(os.receive(b, buffer, 0, 1024), 5);
  t.equal(os.receive(d, buffer, 0, 1024), 8);
  t.end();
});

t.test('blocking or not', (t) => {
  const [a, b] = os.streamPair();
  t.teardown(() => [a, b].forEach(os.close));
  os.setBlocking(a, true);
  t.equal(flagsOf(a) & nonBlocking, 0);
  t.equal(flagsOf(b) & nonBlocking, nonBlocking);
  t.equal(os.receive(a, buffer, 0, 10), -errno.EAGAIN, 'receive never waits');
  os.setBlocking(a, false);
  t.equal(flagsOf(a) & nonBlocking, nonBlocking);
  t.throws(() => os.setBlocking(-1, true), { code: 'SYSCALL_FAILED', detail: { errno: errno.EBADF } });
  t.end();
});

t.test('a peer that is gone or does not read is a number', (t) => {
  const [a, b] = os.streamPair();
  const block = Buffer.alloc(65536);
  let result = 0;
  do result = os.send(a, block, 0, block.length);
  while (result > 0);
  t.equal(result, -errno.EAGAIN);
  os.close(b);
  t.equal(os.send(a, block, 0, 1), -errno.EPIPE, 'and no SIGPIPE');
  os.close(a);
  t.equal(os.receive(a, buffer, 0, 1), -errno.EBADF);
  t.equal(os.shutdownBoth(a), -errno.EBADF);
  t.throws(() => os.peerCredentials(a), { code: 'SYSCALL_FAILED', detail: { errno: errno.EBADF } });
  t.end();
});

t.test('shutdown ends the connection for every copy', (t) => {
  const [a, b] = os.streamPair();
  const copy = openSync('/dev/null', 'r');
  t.teardown(() => [a, b, copy].forEach(os.close));
  t.equal(os.shutdownBoth(a), 0);
  t.equal(os.receive(b, buffer, 0, 1), 0);
  t.equal(os.send(b, buffer, 0, 1), -errno.EPIPE);
  t.end();
});

t.test('nothing outside of the buffer is touched', (t) => {
  const [a, b] = os.streamPair();
  t.teardown(() => [a, b].forEach(os.close));
  os.send(a, Buffer.from('x'.repeat(100)), 0, 100);
  const small = Buffer.alloc(8);
  const odd: [number, number][] = [
    [0, 9],
    [8, 1],
    [9, 0],
    [-1, 2],
    [2, -1],
    [2 ** 31, 1],
    [1, 2 ** 53],
    [Number.NaN, 9],
  ];
  for (const [offset, length] of odd) {
    t.equal(os.receive(b, small, offset, length), -errno.EINVAL, `receive ${offset} ${length}`);
    t.equal(os.send(a, small, offset, length), -errno.EINVAL, `send ${offset} ${length}`);
  }
  t.equal(os.receive(b, 'text' as unknown as Buffer, 0, 1), -errno.EINVAL);
  t.equal(os.receive(b, new Int32Array(8) as unknown as Buffer, 0, 1), -errno.EINVAL);
  t.equal(os.receive('0' as unknown as number, small, 0, 1), -errno.EBADF);
  t.equal(os.receive(b, small.subarray(2, 6), 0, 5), -errno.EINVAL, 'a part of another buffer');
  t.equal(os.receive(b, small.subarray(2, 6), 1, 3), 3);
  t.equal(small.toString('latin1'), '\0\0\0xxx\0\0');
  t.end();
});

t.test('php-cgi must find a socket without a peer', (t) => {
  const fd = os.unconnectedSocket();
  t.teardown(() => os.close(fd));
  t.ok(fstatSync(fd).isSocket());
  t.equal(os.send(fd, buffer, 0, 1), -errno.ENOTCONN);
  t.end();
});

t.test('files without a name', (t) => {
  const [inMemory, onDisk] = [os.memfd('body'), os.tmpfile(dir)];
  t.teardown(() => [inMemory, onDisk].forEach(os.close));
  for (const fd of [inMemory, onDisk]) {
    t.ok(fstatSync(fd).isFile());
    t.equal(fstatSync(fd).nlink, 0);
    t.equal(flagsOf(fd) & closeOnExec, closeOnExec);
  }
  t.equal(fstatSync(onDisk).mode & 0o7777, 0o600);
  t.equal(fstatSync(onDisk).dev, statSync(dir).dev);
  t.equal(os.tmpfile(join(dir, 'none')), -errno.ENOENT);
  t.equal(os.memfd('x'.repeat(300)), -errno.EINVAL);
  t.end();
});

t.test('a lock belongs to one', (t) => {
  const file = join(dir, 'lock');
  const [first, second] = [openSync(file, 'w'), openSync(file, 'w')];
  t.equal(os.lockFile(first), true);
  t.equal(os.lockFile(first), true, 'who has it may ask again');
  t.equal(os.lockFile(second), false);
  os.close(first);
  t.equal(os.lockFile(second), true);
  os.close(second);
  t.throws(() => os.lockFile(second), {
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'flock', errno: errno.EBADF },
  });
  t.end();
});
