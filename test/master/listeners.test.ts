import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { closeSharedListeners, openListener, openSharedListeners } from '../../src/master/listeners.js';
import { type UserEntry, userByName } from '../../src/os/identity.js';
import { accept, close } from '../../src/os/socket.js';
import { descriptorCount, until } from '../os/running.js';

function user(name: string): UserEntry {
  const entry = userByName(name);
  if (entry === undefined) throw new Error(`no user ${name}`);
  return entry;
}

const web = user('www-data');

function directory(t: Test): string {
  const path = mkdtempSync('/tmp/guise-listen-');
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function mode(path: string): number {
  return statSync(path).mode & 0o7777;
}

t.test('one web user owns its socket, and nobody else may connect', async (t) => {
  const path = `${directory(t)}/a.sock`;
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  const fd = openListener(path, [web]);
  t.teardown(() => close(fd));
  const { uid, gid } = statSync(path);
  t.same([uid, gid, mode(path)], [web.uid, 0, 0o600]);
  const client = connect(path);
  t.teardown(() => client.destroy());
  let connection = -1;
  await until('a connection', () => {
    connection = accept(fd).fd;
    return connection >= 0;
  });
  close(connection);
});

t.test('several web users share a mode, and the router looks who they are', (t) => {
  const path = `${directory(t)}/a.sock`;
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const fd = openListener(path, [web, user('games')]);
  t.teardown(() => close(fd));
  t.same([statSync(path).uid, mode(path)], [0, 0o666], 'whatever the umask');
  t.end();
});

t.test('what a dead daemon left is taken over, and a link is not followed', (t) => {
  const top = directory(t);
  const path = `${top}/a.sock`;
  close(openListener(path, [web]));
  t.ok(existsSync(path), 'a socket that nobody listens on');
  close(openListener(path, [web]));
  rmSync(path);
  writeFileSync(`${top}/victim`, 'untouched', { mode: 0o640 });
  symlinkSync(`${top}/victim`, path);
  close(openListener(path, [web]));
  t.equal(readFileSync(`${top}/victim`, 'utf8'), 'untouched');
  t.same([statSync(`${top}/victim`).uid, mode(`${top}/victim`)], [0, 0o640]);
  t.ok(statSync(path).isSocket());
  t.end();
});

t.test('what is in the way is named, and nothing is left open', (t) => {
  const top = directory(t);
  const before = descriptorCount();
  mkdirSync(`${top}/a.sock`);
  t.throws(() => openListener(`${top}/a.sock`, [web]), { code: 'ERR_FS_EISDIR', path: `${top}/a.sock` });
  t.throws(() => openListener(`${top}/${'x'.repeat(120)}`, [web]), {
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'bind' },
  });
  const nobody = { ...web, uid: 2 ** 40 };
  t.throws(() => openListener(`${top}/b.sock`, [nobody]), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => openListener(`${top}/missing/a.sock`, [web]), {
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'bind' },
  });
  t.equal(descriptorCount(), before);
  t.end();
});

t.test('of the shared sockets all are open, or none', async (t) => {
  const path = `${directory(t)}/guise.sock`;
  const taken: Server = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const before = descriptorCount();
  const addresses = [
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port },
  ];
  t.throws(() => openSharedListeners(path, addresses, [web], `${path}.requests`), {
    code: 'SYSCALL_FAILED',
    message: new RegExp(`127.0.0.1 port ${port}`),
  });
  t.equal(descriptorCount(), before);
  const listeners = openSharedListeners(path, addresses.slice(0, 1), [web], `${path}.requests`);
  t.equal(listeners.tcp.length, 1);
  t.equal(descriptorCount(), before + 3);
  closeSharedListeners(listeners);
  t.equal(descriptorCount(), before);
});
