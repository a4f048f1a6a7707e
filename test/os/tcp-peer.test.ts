/** Who owns the other end of a TCP connection: the kernel's word, and nothing where that is not certain. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { errno } from '../../src/os/errno.js';
import * as os from '../../src/os/socket.js';
import { until } from '../../src/quickstart/until.js';

const stranger = 64_951;
const hosts = ['127.0.0.1', '::1'] as const;

interface Listening {
  readonly fd: number;
  readonly port: number;
}

async function listening(t: Test, host: string): Promise<Listening> {
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const fd = os.listenTcp(host, port, 10);
  t.teardown(() => os.close(fd));
  return { fd, port };
}

async function accepted(t: Test, listener: number): Promise<number> {
  const fd = await until('a connection', () => {
    const one = os.accept(listener).fd;
    return one === -errno.EAGAIN ? undefined : { one };
  });
  t.teardown(() => os.close(fd.one));
  return fd.one;
}

/**
 * A Node script as another user: connects, then does what it is told. `env -i` sheds what tap adds to the
 * environment of every child, which would write into a directory that this user may not write to.
 */
function asStranger(t: Test, script: string): ReturnType<typeof spawn> {
  const words = [`--reuid=${stranger}`, '--clear-groups', 'env', '-i', process.execPath, '-e', script];
  const child = spawn('setpriv', words, { stdio: ['pipe', 'inherit', 'inherit'], env: {} });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

for (const host of hosts) {
  t.test(`${host}: a process of ours`, async (t) => {
    const { fd, port } = await listening(t, host);
    const client = connect(port, host);
    t.teardown(() => client.destroy());
    t.equal(os.tcpPeerUid(await accepted(t, fd)), 0);
  });

  t.test(`${host}: a process of somebody else`, async (t) => {
    const { fd, port } = await listening(t, host);
    asStranger(t, `require('node:net').connect(${port}, '${host}')`);
    t.equal(os.tcpPeerUid(await accepted(t, fd)), stranger);
  });

  t.test(`${host}: one that has closed its end belongs to nobody, and least of all to root`, async (t) => {
    const { fd, port } = await listening(t, host);
    for (const end of ['end', 'destroy', 'resetAndDestroy']) {
      const script = `const s = require('node:net').connect(${port}, '${host}', () => s.write('x', () => s.${end}()))`;
      const child = asStranger(t, script);
      const closed = once(child, 'exit');
      const connection = await accepted(t, fd);
      if (end === 'end') await until('the peer to half-close', () => os.tcpPeerUid(connection) < 0);
      else await closed;
      t.ok(os.tcpPeerUid(connection) < 0, end);
      child.kill('SIGKILL');
    }
  });
}

t.test('the other family speaks to an IPv4 listener too', async (t) => {
  const { fd, port } = await listening(t, '127.0.0.1');
  asStranger(t, `require('node:net').connect(${port}, '::ffff:127.0.0.1')`);
  t.equal(os.tcpPeerUid(await accepted(t, fd)), stranger);
});

t.test('what is no TCP connection has no such peer', async (t) => {
  const [one, other] = os.streamPair();
  t.ok(os.tcpPeerUid(one) < 0);
  os.close(one);
  os.close(other);
  t.equal(os.tcpPeerUid(-1), -errno.EBADF);
  const { fd } = await listening(t, '127.0.0.1');
  t.equal(os.tcpPeerUid(fd), -errno.ENOTCONN, 'a listener');
});

t.test('it is quick', async (t) => {
  const { fd, port } = await listening(t, '127.0.0.1');
  const client = connect(port, '127.0.0.1');
  t.teardown(() => client.destroy());
  const connection = await accepted(t, fd);
  const started = performance.now();
  for (let i = 0; i < 1000; i++) os.tcpPeerUid(connection);
  t.comment(`${(performance.now() - started).toFixed(0)} µs a look-up`);
  t.ok(performance.now() - started < 1000, 'to read /proc/net/tcp takes several milliseconds');
});
