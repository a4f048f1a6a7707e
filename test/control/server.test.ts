import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { GuiseError } from '../../src/error.js';
import { siteText } from '../site/instance.js';
import { askDaemon, exchange, type FakeDaemon, startFakeDaemon } from './daemon.js';

t.test('what can be asked', async (t) => {
  const daemon = startFakeDaemon(t);
  daemon.site('a.example.toml', siteText(daemon, 'a.example', 'aliases = ["www.a.example"]\n'));
  daemon.site('b.example.toml', 'nonsense');
  t.match(await askDaemon(daemon, 'GET', '/ping'), {
    status: 200,
    body: { pid: process.pid, version: '9.9.9' },
  });
  t.match(await askDaemon(daemon, 'GET', '/status?x=1'), {
    status: 200,
    body: { sites: [{ name: 'a.example' }] },
  });
  t.match(await askDaemon(daemon, 'POST', '/reload'), {
    status: 200,
    body: { parked: [{ name: 'b.example' }] },
  });
  t.match(await askDaemon(daemon, 'GET', '/sites'), {
    status: 200,
    body: {
      sites: [{ name: 'a.example', user: 'games', uid: 5, keys: 1, umask: '022' }],
      parked: [{ name: 'b.example' }],
    },
  });
  t.match(await askDaemon(daemon, 'GET', '/sites/www.a.example'), {
    status: 200,
    body: { site: { name: 'a.example' } },
  });
  t.match(await askDaemon(daemon, 'GET', '/sites/b.example'), {
    status: 200,
    body: { parked: { problems: [{ line: 1 }] } },
  });
  t.match(await askDaemon(daemon, 'POST', '/stop'), { status: 202, body: { pid: process.pid } });
  t.same(daemon.calls, ['reload', 'stop']);
});

t.test('no answer holds a key', async (t) => {
  const daemon = startFakeDaemon(t);
  const key = 'ef'.repeat(32);
  daemon.site('a.example.toml', siteText(daemon, 'a.example', '', key));
  await askDaemon(daemon, 'POST', '/reload');
  for (const path of ['/status', '/sites', '/sites/a.example']) {
    t.notMatch(JSON.stringify(await askDaemon(daemon, 'GET', path)), key, path);
  }
});

t.test('sites are added, changed and removed, and applied at once', async (t) => {
  const daemon = startFakeDaemon(t);
  const table = { name: 'a.example', user: 'games', root: daemon.root, env: { A: '1' } };
  t.match(await askDaemon(daemon, 'POST', '/sites', JSON.stringify(table)), {
    status: 201,
    body: { site: { name: 'a.example' } },
  });
  t.match(await askDaemon(daemon, 'POST', '/sites', JSON.stringify(table)), {
    status: 409,
    body: { error: { code: 'SITE_EXISTS' } },
  });
  t.match(
    await askDaemon(daemon, 'POST', '/sites', JSON.stringify({ ...table, name: 'b', user: 'nobody-there' })),
    {
      status: 422,
      body: { error: { code: 'SITE_INVALID', message: /nobody-there/ } },
    },
  );
  const change = { set: { max_workers: 2, 'env.B': '2' }, rotateKey: { graceMs: 1000 } };
  t.match(await askDaemon(daemon, 'PATCH', '/sites/a.example', JSON.stringify(change)), {
    status: 200,
    body: { site: { maxWorkers: 2, env: { A: '1', B: '2' }, keys: 2 } },
  });
  t.match(await askDaemon(daemon, 'PATCH', '/sites/a.example', '{"sett":{}}'), {
    status: 400,
    body: { error: { code: 'BAD_REQUEST' } },
  });
  t.match(await askDaemon(daemon, 'DELETE', '/sites/a.example'), {
    status: 200,
    body: { name: 'a.example' },
  });
  t.match(await askDaemon(daemon, 'DELETE', '/sites/a.example'), {
    status: 404,
    body: { error: { code: 'SITE_UNKNOWN' } },
  });
  t.same(daemon.calls, ['apply a.example', 'apply a.example', 'apply a.example']);
});

t.test('what cannot be asked', async (t) => {
  const daemon = startFakeDaemon(t);
  t.match(await askDaemon(daemon, 'GET', '/nothing'), {
    status: 404,
    body: { error: { code: 'BAD_REQUEST' } },
  });
  t.match(await askDaemon(daemon, 'GET', '/sites/a/b'), { status: 404 });
  t.match(await askDaemon(daemon, 'GET', '/sites/%ff'), { status: 404 });
  t.match(await askDaemon(daemon, 'GET', '/sites/..%2f..%2fetc'), {
    status: 404,
    body: { error: { code: 'SITE_UNKNOWN' } },
  });
  const wrong = await askDaemon(daemon, 'POST', '/ping');
  t.match(wrong, { status: 405, body: { error: { remedy: 'use GET' } } });
  t.match(wrong.head, /Allow: GET/);
  t.match(await askDaemon(daemon, 'POST', '/sites', '{not json'), {
    status: 400,
    body: { error: { message: /not JSON/ } },
  });
  t.match(await askDaemon(daemon, 'POST', '/sites', '[1]'), { status: 400 });
  t.match(await askDaemon(daemon, 'POST', '/sites'), { status: 422 }, 'no body is an empty table');
  t.same(daemon.calls, []);
});

t.test('failures of the master are told with their code; mistakes go to the log as well', async (t) => {
  const daemon = startFakeDaemon(t);
  daemon.failure = new GuiseError('CONFIG_INVALID', 'guise.toml:3: wrong', { remedy: 'mend it' });
  t.match(await askDaemon(daemon, 'POST', '/reload'), {
    status: 422,
    body: { error: { code: 'CONFIG_INVALID', message: 'guise.toml:3: wrong', remedy: 'mend it' } },
  });
  t.same(daemon.problems, []);
  daemon.failure = new TypeError('x is not a function');
  t.match(await askDaemon(daemon, 'GET', '/status'), { status: 500, body: { error: { code: 'INTERNAL' } } });
  t.match(daemon.problems, [{ message: 'x is not a function' }]);
});

/** Whatever came before, the next one is served. */
async function stillAlive(t: Test, daemon: FakeDaemon): Promise<void> {
  t.match(await askDaemon(daemon, 'GET', '/ping'), { status: 200 });
}

t.test('nonsense costs the connection and nothing else', async (t) => {
  const daemon = startFakeDaemon(t);
  const nonsense = [
    '',
    '\0\0\0\0',
    '\x01\x01\x00\x01\x00\x08\x00\x00FastCGI?',
    'GET\r\n\r\n',
    'GET /ping HTTP/9.9\r\n\r\n',
    'GET /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345',
    'POST /sites HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
    'POST /sites HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\ncut off',
    `GET /ping HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /ping HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'GET /ping HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n',
    'GET /ping HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  ];
  for (const bytes of nonsense) {
    await exchange(daemon.socket, bytes);
    await stillAlive(t, daemon);
  }
  t.same(daemon.calls, []);
  t.same(daemon.problems, []);
});

t.test('one request a connection: a second one behind it is not answered', async (t) => {
  const daemon = startFakeDaemon(t);
  const one = 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n';
  const text = await exchange(daemon.socket, one + one);
  t.equal(text.split('HTTP/1.1 200').length - 1, 1);
  t.match(text, /Connection: close/);
});

t.test('a body that is too large is refused, and the refusal arrives', async (t) => {
  const daemon = startFakeDaemon(t);
  const body = `{"name":"${'x'.repeat(1024 * 1024)}"}`;
  t.match(await askDaemon(daemon, 'POST', '/sites', body), {
    status: 400,
    body: { error: { message: /larger than/ } },
  });
  await stillAlive(t, daemon);
});

t.test('slow peers are dropped, also those that send a byte now and then', async (t) => {
  const daemon = startFakeDaemon(t, '', 200);
  t.equal(await exchange(daemon.socket, '', false), '');
  const trickle = new Promise<void>((resolve) => {
    const socket = connect(daemon.socket);
    const timer = setInterval(() => socket.write('X'), 20);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve();
    });
    socket.write('GET /ping HTTP/1.1\r\nX-Slow: ');
  });
  await trickle;
  await stillAlive(t, daemon);
});

t.test('many silent connections do not keep others out for long', async (t) => {
  const daemon = startFakeDaemon(t, '', 200);
  await Promise.all(Array.from({ length: 100 }, () => exchange(daemon.socket, '', false)));
  await stillAlive(t, daemon);
});

t.test('closing removes the socket; starting replaces one that a dead daemon left', async (t) => {
  const daemon = startFakeDaemon(t);
  const before = lstatSync(daemon.socket).ino;
  t.ok(before > 0);
  await daemon.close();
  t.notOk(existsSync(daemon.socket));
});

t.test('closing gives whoever is being answered a moment, and drops the silent', async (t) => {
  const daemon = startFakeDaemon(t);
  const silent = exchange(daemon.socket, '', false);
  const asked = askDaemon(daemon, 'POST', '/stop');
  while (!daemon.calls.includes('stop')) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([daemon.close(), silent]);
  t.match(await asked, { status: 202 });
});

t.test('what lies at the path and is no socket is not removed', async (t) => {
  const daemon = startFakeDaemon(t);
  await daemon.close();
  writeFileSync(daemon.socket, 'mine');
  await daemon.close();
  t.ok(existsSync(daemon.socket));
});
