/**
 * A tenant on the control socket, which he may use for his own site: he asks for other sites, for what only
 * administrators may do, floods it, sends bodies and bytes that are no HTTP, holds connections. What he gets is his
 * own, and the administrator is answered all the while.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../../src/quickstart/until.js';
import { descriptors, ownMemoryKb } from '../harness/proc.js';
import type { TestUser } from '../harness/users.js';
import { journey } from '../harness/world.js';

/**
 * A Node process as that user; it prints JSON when its story is told. `env -i` sheds what tap adds to every child, which would
 * write at its end where this user may not.
 */
function as(user: TestUser, script: string): ChildProcess {
  const words = ['--reuid', String(user.uid), '--regid', String(user.gid), '--init-groups'];
  return spawn('setpriv', [...words, 'env', '-i', process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function told<T>(user: TestUser, script: string): Promise<T> {
  const child = as(user, script);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return JSON.parse(text) as T;
}

await journey(async (t, { guise }) => {
  const { pid } = guise;
  const path = `${guise.instance.run}/control.sock`;
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice' });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob' });
  const carol = await guise.addSite({ name: 'carol.test', user: 'carol' });
  guise.allowErrors(/control socket/);
  const before = await guise.status();

  /** Says each of these on a connection of its own, one after the other, and prints what came back. */
  const say = (messages: readonly string[], pauseMs = 0): string => `
    const say = (bytes) => new Promise((resolve) => {
      const socket = require('node:net').connect(${JSON.stringify(path)});
      let text = '';
      socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      socket.write(Buffer.from(bytes, 'latin1'));
    });
    (async () => {
      const told = [];
      for (const bytes of ${JSON.stringify(messages)}) {
        told.push(await say(bytes));
        await new Promise((resolve) => setTimeout(resolve, ${pauseMs}));
      }
      console.log(JSON.stringify(told));
    })();`;
  const http = (method: string, target: string, more = '', body = ''): string =>
    `${method} ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n${body}`;

  await t.test('he is told of his own site, and of no other', async (t) => {
    const [status, own, others, none] = await told<string[]>(
      alice.user,
      say([
        http('GET', '/status'),
        http('GET', '/sites/alice.test'),
        http('GET', '/sites/bob.test'),
        http('GET', '/sites/none.test'),
      ]),
    );
    t.match(status, /^HTTP\/1.1 200 .*alice\.test/s);
    t.match(own, /^HTTP\/1.1 200 /);
    t.match(others, /^HTTP\/1.1 404 /);
    t.equal(
      others?.replaceAll('bob.', 'none.').replace(/Content-Length: \d+/, ''),
      none?.replace(/Content-Length: \d+/, ''),
    );
    for (const text of [status, own]) t.notMatch(text, /bob|key = |"routers": \[\s*\{/);
    t.notMatch(own, guise.keyOf('alice.test') ?? 'no key at all');
  });

  await t.test('he changes nothing, neither his site nor another, nor the daemon', async (t) => {
    const body = JSON.stringify({ name: 'evil.test', user: bob.user.name, root: bob.root });
    const length = `Content-Length: ${body.length}\r\n`;
    const answers = await told<string[]>(
      bob.user,
      say([http('POST', '/sites', length, body), http('DELETE', '/sites/alice.test'), http('POST', '/stop')]),
    );
    for (const answer of answers) t.match(answer, /^HTTP\/1.1 4\d\d /);
    t.equal(guise.exit(), undefined);
    t.same(
      (await guise.status()).sites.map(({ name }) => name),
      ['alice.test', 'bob.test', 'carol.test'],
    );
  });

  await t.test('his bytes meet no parser but the small one: no body, no headers, no encodings', async (t) => {
    const chunked = 'Transfer-Encoding: chunked\r\n';
    const answers = await told<string[]>(
      alice.user,
      say(
        [
          http('GET', '/ping', 'Content-Length: 100000000\r\n', 'x'.repeat(20_000)),
          http('GET', '/ping', chunked, `ffffffff\r\n${'x'.repeat(20_000)}`),
          http('GET', '/ping', `X: ${'x'.repeat(20_000)}\r\n`),
          http('GET', '/ping', 'X: y\r\n'.repeat(3000)),
          '\0\x01\x02\xff'.repeat(1200),
          http('GET', `/sites/${'%00'.repeat(100)}`),
          http('GET', '/sites/..%2f..%2fetc%2fpasswd'),
          http('GET', '/sites/__proto__'),
        ],
        500,
      ),
    );
    for (const answer of answers) t.match(answer, /^HTTP\/1.1 4\d\d /);
    t.equal(guise.exit(), undefined);
  });

  await t.test('who is nobody here gets nothing at all', async (t) => {
    const nobody = { ...alice.user, uid: 65_534, gid: 65_534 };
    const answers = await told<string[]>(nobody, say(Array<string>(60).fill(http('GET', '/ping'))));
    t.match(answers[0], /^HTTP\/1.1 403 /);
    for (const answer of answers) t.match(answer, /^(HTTP\/1.1 4(03|29) |$)/);
    const lines = guise.log().filter((line) => JSON.stringify(line).includes('turned away'));
    t.ok(lines.length > 0 && lines.length < 15, `${lines.length} lines in the log`);
  });

  await t.test('he cannot keep the daemon busy with questions', async (t) => {
    const answers = await told<string[]>(bob.user, say(Array<string>(60).fill(http('GET', '/status'))));
    t.match(answers[0], /^HTTP\/1.1 200 /);
    t.ok(answers.filter((answer) => answer.startsWith('HTTP/1.1 429 ')).length > 10);
    t.match(await guise.run('status'), { code: 0 });
  });

  await t.test('a flood of connections, held and silent, keeps nobody out', async (t) => {
    const attacker = as(
      alice.user,
      `const { connect } = require('node:net');
       let open = 0;
       const more = () => {
         while (open < 500) {
           open++;
           const socket = connect(${JSON.stringify(path)}, () => socket.write('GET /status HTTP/1.1\\r\\nX: '));
           const trickle = setInterval(() => socket.write('x'), 200);
           socket.on('error', () => undefined);
           socket.on('close', () => { open--; clearInterval(trickle); });
         }
         setTimeout(more, 1);
       };
       more();
       setTimeout(() => console.log('"flooding"'), 500);`,
    );
    try {
      await once(attacker.stdout ?? attacker, 'data');
      for (let question = 0; question < 3; question++) {
        const ping = await guise.run('ping', '--json');
        t.match(ping, { code: 0 }, 'root is answered');
      }
      const [own] = await told<string[]>(carol.user, say([http('GET', '/ping')]));
      t.match(own, /^HTTP\/1.1 200 /, 'and so is another tenant');
      t.ok(descriptors(pid).length < 200, 'the master holds few connections');
      t.ok(ownMemoryKb(pid) < 300_000);
    } finally {
      attacker.kill('SIGKILL');
      await once(attacker, 'close');
    }
    await until('the end of his connections', () => descriptors(pid).length < 60);
    t.equal((await guise.status()).pid, before.pid);
  });
});
