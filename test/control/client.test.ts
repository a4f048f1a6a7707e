import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ask } from '../../src/control/client.js';
import { makeInstance } from '../site/instance.js';
import { runAs, startFakeDaemon } from './daemon.js';

t.test('answers come back, and errors with their code', async (t) => {
  const daemon = startFakeDaemon(t);
  const config = daemon.config();
  t.match(await ask(config, { method: 'GET', path: '/ping' }), { version: '9.9.9' });
  await t.rejects(ask(config, { method: 'GET', path: '/sites/none' }), {
    code: 'SITE_UNKNOWN',
    message: /"none"/,
  });
  await t.rejects(ask(config, { method: 'POST', path: '/sites', body: { name: 'x' } }), {
    code: 'SITE_INVALID',
  });
});

t.test('nobody there', async (t) => {
  const instance = makeInstance(t);
  await t.rejects(ask(instance.config(), { method: 'GET', path: '/ping' }), {
    code: 'NOT_RUNNING',
    message: /nothing listens at .*control.sock/,
    detail: { remedy: new RegExp(`^guise daemon --config ${instance.configFile}`) },
  });
  const daemon = startFakeDaemon(t);
  await daemon.close();
  await t.rejects(
    ask(daemon.config(), { method: 'GET', path: '/ping' }),
    { code: 'NOT_RUNNING' },
    'a directory without a socket',
  );
  writeFileSync(daemon.socket, '');
  await t.rejects(
    ask(daemon.config(), { method: 'GET', path: '/ping' }),
    { code: 'NOT_RUNNING' },
    'something else',
  );
});

t.test('not permitted, by the mode of the socket or by the daemon', async (t) => {
  const daemon = startFakeDaemon(t);
  const program = fileURLToPath(new URL('../../src/control/client.js', import.meta.url));
  const config = JSON.stringify({
    file: daemon.configFile,
    paths: { run: `${daemon.directory}/run` },
    control: {},
  });
  const asGames = (): Promise<string> =>
    runAs(
      5,
      60,
      `import(${JSON.stringify(program)})
        .then(({ ask }) => ask(${config}, { method: 'GET', path: '/ping' }))
        .then(() => console.log('answered'), (error) => console.log(error.code, error.message, error.detail.remedy));`,
    );
  t.match(
    await asGames(),
    /^NOT_PERMITTED only root and users of sites may speak to this daemon run this as root/,
  );
  chmodSync(daemon.socket, 0o600);
  t.match(await asGames(), /^NOT_PERMITTED you may not speak to the daemon at .* run this as root/);
});

t.test('something that is not guise, or that never answers', async (t) => {
  const daemon = startFakeDaemon(t);
  const config = daemon.config();
  await daemon.close();
  const answers = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'nonsense\r\n\r\n', ''];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const answer = answers.shift();
      if (answer !== undefined) socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(daemon.socket, resolve);
  });
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  await t.rejects(ask(config, { method: 'GET', path: '/ping' }), {
    code: 'BAD_REQUEST',
    message: /is not guise/,
  });
  await t.rejects(ask(config, { method: 'GET', path: '/ping' }), {
    code: 'NOT_RUNNING',
    message: /did not answer/,
  });
  await t.rejects(ask(config, { method: 'GET', path: '/ping' }), {
    code: 'NOT_RUNNING',
    message: /did not answer/,
  });
  await t.rejects(ask(config, { method: 'GET', path: '/ping', timeoutMs: 100 }), {
    code: 'NOT_RUNNING',
    message: /does not answer/,
  });
});
