import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { errno } from '../../src/os/errno.js';
import * as os from '../../src/os/socket.js';
import { socketCount } from './running.js';

const dir = mkdtempSync(join(tmpdir(), 'guise-listen-'));
t.teardown(() => rmSync(dir, { recursive: true }));

t.test('a new socket file is for its owner only, whatever the umask', (t) => {
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  const path = join(dir, 'mode.sock');
  const listener = os.listenUnix(path, 5);
  t.teardown(() => os.close(listener));
  t.equal(statSync(path).mode & 0o7777, 0o600);
  t.end();
});

t.test('where listening fails, the call is named and nothing is left', (t) => {
  const before = socketCount();
  const fails = (path: string, number: number) => {
    t.throws(
      () => os.listenUnix(path, 5),
      { code: 'SYSCALL_FAILED', detail: { syscall: 'bind', errno: number } },
      path,
    );
  };
  const taken = join(dir, 'taken.sock');
  const listener = os.listenUnix(taken, 5);
  fails(taken, errno.EADDRINUSE);
  fails(join(dir, 'none', 'x.sock'), errno.ENOENT);
  fails(join(dir, 'x'.repeat(108)), errno.ENAMETOOLONG);
  fails('', errno.EINVAL);
  fails('\0abstract', errno.EINVAL);
  for (const host of ['localhost', '', '1.2.3', '127.0.0.1\0', '*']) {
    t.throws(
      () => os.listenTcp(host, 0, 5),
      { code: 'SYSCALL_FAILED', detail: { errno: errno.EINVAL } },
      host,
    );
  }
  t.throws(() => os.listenTcp('127.0.0.1', 65536, 5), {
    code: 'SYSCALL_FAILED',
    detail: { errno: errno.EINVAL },
  });
  t.throws(() => os.listenTcp('192.0.2.1', 0, 5), {
    code: 'SYSCALL_FAILED',
    detail: { errno: errno.EADDRNOTAVAIL },
  });
  os.close(listener);
  t.equal(socketCount(), before);
  t.end();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

t.test('TCP, by IPv4 and by IPv6', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const port = await freePort();
    const listener = os.listenTcp(host, port, 5);
    const client = connect(port, host);
    await once(client, 'connect');
    const { fd, uid } = os.accept(listener);
    t.ok(fd > 2);
    t.equal(uid, -1, 'nobody vouches for a TCP peer');
    t.throws(() => os.listenTcp(host, port, 5), {
      code: 'SYSCALL_FAILED',
      detail: { errno: errno.EADDRINUSE },
    });
    client.destroy();
    os.close(fd);
    os.close(listener);
  }
});
