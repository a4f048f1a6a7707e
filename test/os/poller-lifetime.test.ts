import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { launch } from '../../src/os/launch.js';
import { POLLIN, Poller } from '../../src/os/poller.js';
import { close, memfd, receive, send, sendMessage, seqpacketPair, streamPair } from '../../src/os/socket.js';
import { deathOf, nodeProgram, planned, until } from './running.js';

const buffer = Buffer.alloc(1024);

/** The descriptors that our epoll instances watch, as the kernel shows them. */
function watched(): number[] {
  const found: number[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== 'anon_inode:[eventpoll]') continue;
    } catch {
      continue;
    }
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
    for (const [, watching] of info.matchAll(/^tfd:\s+(\d+)/gm)) found.push(Number(watching));
  }
  return found;
}

/** A copy of a connection in nobody's hands but the kernel's: it lies in a queue. Returns how to end it. */
function lend(fd: number): () => void {
  const [ours, theirs] = seqpacketPair();
  sendMessage(ours, buffer, 0, 1, fd, -1);
  return () => [ours, theirs].forEach(close);
}

function poller(t: Test): Poller {
  const made = new Poller();
  t.teardown(() => made.close());
  return made;
}

t.test('a lent connection that was removed reports nothing', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = streamPair();
  const giveBack = lend(ours);
  let calls = 0;
  watch.add(ours, POLLIN, () => calls++);
  watch.remove(ours);
  close(ours);
  send(theirs, buffer, 0, 1);
  const [fresh, peer] = streamPair();
  t.equal(fresh, ours, 'its number is used again');
  const heard = new Promise<void>((resolve) => watch.add(fresh, POLLIN, () => resolve()));
  send(peer, buffer, 0, 1);
  await heard;
  t.equal(calls, 0);
  giveBack();
  [fresh, peer, theirs].forEach(close);
});

t.test('closed without remove, its copy elsewhere: the poller gets rid of it', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = streamPair();
  const giveBack = lend(ours);
  let old = 0;
  watch.add(ours, POLLIN, () => old++);
  close(ours);
  const [fresh, peer] = streamPair();
  t.equal(fresh, ours, 'its number is used again');
  let heard = 0;
  watch.add(fresh, POLLIN, () => {
    receive(fresh, buffer, 0, 1024);
    heard++;
  });
  t.equal(watched().filter((fd) => fd === ours).length, 2, 'the kernel watches both');
  send(theirs, buffer, 0, 1);
  await until('the old one is forgotten', () => watched().filter((fd) => fd === ours).length === 1);
  send(peer, buffer, 0, 1);
  await until('the new one is heard', () => heard === 1);
  t.equal(old, 0);
  giveBack();
  watch.remove(fresh);
  [fresh, peer, theirs].forEach(close);
});

t.test('closed before it was removed: likewise', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = streamPair();
  const giveBack = lend(ours);
  watch.add(ours, POLLIN, () => {
    throw new Error('called for a descriptor that was removed');
  });
  close(ours);
  watch.remove(ours);
  t.ok(watched().includes(ours));
  send(theirs, buffer, 0, 1);
  await until('it is forgotten', () => !watched().includes(ours));
  giveBack();
  close(theirs);
});

t.test('closed within a batch: no further handler is called', async (t) => {
  const watch = new Poller();
  const pairs = [streamPair(), streamPair(), streamPair()];
  let calls = 0;
  for (const [ours, theirs] of pairs) {
    watch.add(ours, POLLIN, () => {
      calls++;
      watch.close();
    });
    send(theirs, buffer, 0, 1);
  }
  await until('one is called', () => calls > 0);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(calls, 1);
  pairs.flat().forEach(close);
});

t.test('a handler that throws is an uncaught exception, and the poller goes on', async (t) => {
  const watch = poller(t);
  const [ours, theirs] = streamPair();
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  t.teardown(() => {
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  let calls = 0;
  watch.add(ours, POLLIN, () => {
    receive(ours, buffer, 0, 1024);
    calls++;
    throw new Error('a bug');
  });
  for (const expected of [1, 2]) {
    const thrown = once(process, 'uncaughtException') as Promise<[Error]>;
    send(theirs, buffer, 0, 1);
    t.equal((await thrown)[0].message, 'a bug');
    t.equal(calls, expected);
  }
  [ours, theirs].forEach(close);
});

/** proc(5): S, it sleeps; T, it has been stopped. */
function stateOf(pid: number): string | undefined {
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
}

/** Runs polling.child.ts; says what it printed and how it ended. */
async function polling(
  how: string,
  prompt: boolean,
  meanwhile?: (pid: number) => Promise<void>,
): Promise<string> {
  const out = memfd('output');
  const [ours, theirs] = streamPair();
  const args = nodeProgram('polling.child.js', how);
  const { pid } = launch(planned({ file: process.execPath, args, descriptors: [-1, out, -1, theirs] }));
  close(theirs);
  const said = () => readFileSync(`/proc/self/fd/${out}`, 'utf8');
  if (prompt) {
    await until('it waits', () => said().includes('waiting\n') && stateOf(pid) === 'S');
    await meanwhile?.(pid);
    send(ours, buffer, 0, 1);
  }
  const { exitCode } = await deathOf(pid);
  const text = said();
  [ours, out].forEach(close);
  return `${text.replaceAll('\n', ', ')}${exitCode}`;
}

t.test('a process ends when its poller is closed or does not count', async (t) => {
  t.equal(await polling('close', false), 'waiting, exit 0, 0');
  t.equal(await polling('unref', false), 'waiting, exit 0, 0');
});

t.test('else the poller keeps it alive', async (t) => {
  t.equal(await polling('wait', true), 'waiting, heard, exit 0, 0');
  t.equal(await polling('ref', true), 'waiting, heard, exit 0, 0');
});

t.test('it may also exit in the middle of things', async (t) => {
  t.equal(await polling('exit', false), 'waiting, exit 9, 9');
});

t.test('a handler that throws ends it', async (t) => {
  t.equal(await polling('throw', true), 'waiting, heard, exit 1, 1');
});

t.test('a stop in the middle of its wait takes nothing from it', async (t) => {
  const stop = async (pid: number): Promise<void> => {
    process.kill(pid, 'SIGSTOP');
    await until('it is stopped', () => stateOf(pid) === 'T');
    process.kill(pid, 'SIGCONT');
    await until('it waits again', () => stateOf(pid) === 'S');
  };
  t.equal(await polling('wait', true, stop), 'waiting, heard, exit 0, 0');
});

t.test('what libuv waits for is heard as well', async (t) => {
  t.equal(await polling('serve', true), 'waiting, heard, served, exit 0, 0');
});
