import { fstatSync, readFileSync, writeSync } from 'node:fs';
import t from 'tap';
import { errno } from '../../src/os/errno.js';
import {
  close,
  memfd,
  passCredentials,
  receiveMessage,
  sendMessage,
  seqpacketPair,
} from '../../src/os/socket.js';
import { descriptorCount } from './running.js';

const buffer = Buffer.alloc(64);
const order = Buffer.from('..order..');

/** Two ends and a place for what comes beside a message; closed at the end of the test. */
function channel(t: { teardown(handler: () => void): void }): {
  ours: number;
  theirs: number;
  out: Int32Array;
} {
  const [ours, theirs] = seqpacketPair();
  t.teardown(() => [ours, theirs].forEach(close));
  return { ours, theirs, out: new Int32Array(9).fill(77) };
}

t.test('a message without anything beside it', (t) => {
  const { ours, theirs, out } = channel(t);
  t.equal(receiveMessage(theirs, buffer, out), -errno.EAGAIN);
  t.equal(sendMessage(ours, order, 2, 5, -1, -1), 5);
  t.equal(receiveMessage(theirs, buffer, out), 5);
  t.equal(buffer.toString('latin1', 0, 5), 'order');
  t.same([...out], [0, -1, -1, -1, -1, -1, -1, -1, 0]);
  close(ours);
  t.equal(receiveMessage(theirs, buffer, out), 0);
  t.end();
});

t.test('one descriptor, two descriptors', (t) => {
  const { ours, theirs, out } = channel(t);
  const [first, second] = [memfd('first'), memfd('second')];
  t.teardown(() => [first, second].forEach(close));
  const ino = (fd: number) => fstatSync(fd).ino;
  const cases: [number, number, number[]][] = [
    [first, -1, [first]],
    [-1, second, [second]],
    [first, second, [first, second]],
    [first, first, [first, first]],
  ];
  for (const [fd1, fd2, expected] of cases) {
    t.equal(sendMessage(ours, order, 0, 9, fd1, fd2), 9);
    t.equal(receiveMessage(theirs, buffer, out), 9);
    t.equal(out[0], expected.length);
    const got = [...out.subarray(1, 1 + expected.length)];
    t.same(got.map(ino), expected.map(ino));
    for (const fd of got) {
      t.not(fd, first);
      t.match(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'), /^flags:\s*02[0-7]{6}$/m, 'close-on-exec');
      close(fd);
    }
  }
  writeSync(first, 'x');
  t.end();
});

t.test('the kernel names the sender', (t) => {
  const { ours, theirs, out } = channel(t);
  const file = memfd('file');
  t.teardown(() => close(file));
  passCredentials(theirs);
  t.equal(sendMessage(ours, order, 0, 9, -1, -1), 9);
  t.equal(receiveMessage(theirs, buffer, out), 9);
  t.same([...out], [0, -1, -1, -1, -1, process.pid, 0, 0, 0]);
  t.equal(sendMessage(ours, order, 0, 9, file, file), 9);
  t.equal(receiveMessage(theirs, buffer, out), 9);
  t.equal(out[0], 2);
  t.same([...out.subarray(5)], [process.pid, 0, 0, 0]);
  close(out[1] ?? -1);
  close(out[2] ?? -1);
  t.end();
});

t.test('descriptors of a message that is too long are closed', (t) => {
  const { ours, theirs, out } = channel(t);
  const file = memfd('file');
  t.teardown(() => close(file));
  const before = descriptorCount();
  t.equal(sendMessage(ours, order, 0, 9, file, file), 9);
  t.equal(receiveMessage(theirs, buffer.subarray(0, 8), out), 8);
  t.same([...out], [0, -1, -1, -1, -1, -1, -1, -1, 1]);
  t.equal(descriptorCount(), before);
  t.end();
});

t.test('what cannot be sent or received is a number', (t) => {
  const { ours, theirs, out } = channel(t);
  t.equal(sendMessage(ours, order, 0, 9, 999_999, -1), -errno.EBADF);
  t.equal(sendMessage(ours, order, 5, 5, -1, -1), -errno.EINVAL);
  t.equal(sendMessage(-1, order, 0, 9, -1, -1), -errno.EBADF);
  t.equal(receiveMessage(-1, buffer, out), -errno.EBADF);
  t.equal(receiveMessage(theirs, buffer, new Int32Array(8)), -errno.EINVAL);
  t.equal(receiveMessage(theirs, buffer, new Float64Array(9) as unknown as Int32Array), -errno.EINVAL);
  close(theirs);
  t.equal(sendMessage(ours, order, 0, 9, -1, -1), -errno.EPIPE);
  t.end();
});
