import { openSync } from 'node:fs';
import t, { type Test } from 'tap';
import { errno } from '../../src/os/errno.js';
import { POLLERR, POLLET, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, Poller } from '../../src/os/poller.js';
import { close, receive, send, shutdownWrite, streamPair } from '../../src/os/socket.js';

const buffer = Buffer.alloc(1024);

function poller(t: Test): Poller {
  const made = new Poller();
  t.teardown(() => made.close());
  return made;
}

function pair(t: Test): [number, number] {
  const made = streamPair();
  t.teardown(() => made.forEach(close));
  return made;
}

const say = (fd: number) => send(fd, buffer, 0, 1);
const hear = (fd: number) => receive(fd, buffer, 0, 1024);

/** Resolves when a fresh event has gone all the way round: whatever was due before has been handled by then. */
async function aRound(watch: Poller): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const [ours, theirs] = streamPair();
    say(theirs);
    await new Promise<void>((resolve) => {
      watch.add(ours, POLLIN, () => {
        watch.remove(ours);
        resolve();
      });
    });
    close(ours);
    close(theirs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('events arrive as they happen', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = pair(t);
  const seen: number[] = [];
  watch.add(ours, POLLIN | POLLRDHUP, (events) => {
    seen.push(events);
    if (hear(ours) <= 0) watch.remove(ours);
  });
  await aRound(watch);
  t.same(seen, []);
  say(theirs);
  await aRound(watch);
  t.same(seen, [POLLIN]);
  shutdownWrite(theirs);
  await aRound(watch);
  t.same(seen, [POLLIN, POLLIN | POLLRDHUP]);
});

t.test('room to write, and a peer that hangs up', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = streamPair();
  const events = await new Promise<number>((resolve) => watch.add(ours, POLLOUT, resolve));
  t.equal(events, POLLOUT);
  watch.change(ours, 0);
  await aRound(watch);
  const last = new Promise<number>((resolve) => {
    watch.remove(ours);
    watch.add(ours, 0, (seen) => {
      watch.remove(ours);
      resolve(seen);
    });
  });
  close(theirs);
  t.equal((await last) & (POLLHUP | POLLERR), POLLHUP, 'told without being asked for');
  close(ours);
});

t.test('what one handler removes, its batch does not report', async (t) => {
  const watch = poller(t);
  const [a, b] = [pair(t), pair(t)];
  const called: number[] = [];
  const handle = (self: number, other: number) => () => {
    called.push(self);
    hear(self);
    watch.remove(other);
  };
  watch.add(a[0], POLLIN, handle(a[0], b[0]));
  watch.add(b[0], POLLIN, handle(b[0], a[0]));
  say(a[1]);
  say(b[1]);
  await aRound(watch);
  t.equal(called.length, 1, 'both were ready at once');
});

t.test('a number used again within a batch is not mistaken for the old one', async (t) => {
  const watch = poller(t);
  const [first, second] = [pair(t), streamPair()];
  const ends = [first[0], second[0]];
  const calls: string[] = [];
  let fresh: [number, number] | undefined;
  const handle = (self: number) => () => {
    calls.push('old');
    hear(self);
    const other = ends.find((fd) => fd !== self) ?? -1;
    watch.remove(other);
    close(other);
    fresh = streamPair();
    t.equal(fresh[0], other, 'the number is used again');
    watch.add(fresh[0], POLLIN, () => {
      calls.push('new');
      hear(other);
    });
  };
  for (const fd of ends) watch.add(fd, POLLIN, handle(fd));
  say(first[1]);
  say(second[1]);
  await aRound(watch);
  t.same(calls, ['old']);
  say(fresh?.[1] ?? -1);
  await aRound(watch);
  t.same(calls, ['old', 'new']);
  fresh?.forEach(close);
  close(second[1]);
});

t.test('a changed interest counts within its batch', async (t) => {
  const watch = poller(t);
  const [a, b] = [pair(t), pair(t)];
  const called: number[] = [];
  const handle = (self: number, other: number) => () => {
    called.push(self);
    hear(self);
    watch.change(other, 0);
  };
  watch.add(a[0], POLLIN, handle(a[0], b[0]));
  watch.add(b[0], POLLIN, handle(b[0], a[0]));
  say(a[1]);
  say(b[1]);
  await aRound(watch);
  t.equal(called.length, 1);
  for (const [fd] of [a, b]) watch.change(fd, POLLIN);
  await aRound(watch);
  t.equal(called.length, 2, 'and the other one was only put off');
});

t.test('edge-triggered: told once', async (t) => {
  const watch = poller(t);
  const [level, edge] = [pair(t), pair(t)];
  const calls = { level: 0, edge: 0 };
  watch.add(level[0], POLLIN, () => {
    calls.level++;
  });
  watch.add(edge[0], POLLIN | POLLET, () => {
    calls.edge++;
  });
  say(level[1]);
  say(edge[1]);
  await aRound(watch);
  t.equal(calls.edge, 1);
  t.ok(calls.level > 1);
  say(edge[1]);
  await aRound(watch);
  t.equal(calls.edge, 2);
});

t.test('more events than a batch holds', async (t) => {
  const watch = poller(t);
  const pairs = Array.from({ length: 400 }, () => pair(t));
  const heard = new Set<number>();
  for (const [ours, theirs] of pairs) {
    watch.add(ours, POLLIN, () => {
      hear(ours);
      heard.add(ours);
    });
    say(theirs);
  }
  await aRound(watch);
  t.equal(heard.size, 400);
});

t.test('promises and ticks run between batches', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = pair(t);
  const order: string[] = [];
  const settled = new Promise<void>((resolve) => {
    watch.add(ours, POLLIN, () => {
      watch.remove(ours);
      process.nextTick(() => order.push('tick'));
      void Promise.resolve().then(() => order.push('promise'));
      setImmediate(() => {
        order.push('immediate');
        resolve();
      });
    });
  });
  say(theirs);
  await settled;
  t.same(order, ['tick', 'promise', 'immediate']);
});

t.test('refusals of the kernel', (t) => {
  const watch = poller(t);
  const [ours] = pair(t);
  const file = openSync('/etc/passwd', 'r');
  t.teardown(() => close(file));
  const fails = (number: number) => ({
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'epoll_ctl', errno: number },
  });
  const ignore = () => {};
  watch.add(ours, POLLIN, ignore);
  t.throws(() => watch.add(ours, POLLIN, ignore), fails(errno.EEXIST));
  t.throws(() => watch.add(file, POLLIN, ignore), fails(1));
  t.throws(() => watch.add(-1, POLLIN, ignore), fails(errno.EBADF));
  watch.remove(ours);
  watch.remove(ours);
  t.throws(() => watch.change(ours, POLLIN), fails(errno.ENOENT));
  watch.close();
  watch.close();
  t.throws(() => watch.add(ours, POLLIN, ignore), fails(errno.EBADF));
  t.end();
});
