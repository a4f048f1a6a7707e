/** What runs now, as the router tells it: to root everything, to the user of a site his own, to others nothing. */

import { renameSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import type { LiveRequest } from '../../src/router/live-requests.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { descriptors } from '../harness/proc.js';
import { journey } from '../harness/world.js';

const program = fileURLToPath(new URL('../../../bin/guise', import.meta.url));

/** Says the bytes to a socket as whoever runs it, and prints what comes back. */
const speaker = `
const socket = require('node:net').connect(process.argv[1]);
socket.on('error', () => process.exit(1)).pipe(process.stdout);
socket.write(process.argv[2]);`;

await journey(async (t, world) => {
  const { guise } = world;
  const { instance } = guise;
  guise.allowErrors(/"msg":"worker died"/);
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice' });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob', args: ['--max-workers', '1'] });
  const servers = [await apacheFor(world, [alice, bob]), await nginxFor(world, [alice, bob])];
  const [apache] = servers;
  if (apache === undefined) throw new Error('no Apache');
  const socket = `${instance.run}/requests.sock`;
  const asks = async (user: string, line: string): Promise<{ status: string; body: string }> => {
    const words = ['-u', user, '--', process.execPath, '-e', speaker, socket, `${line} HTTP/1.1\r\n\r\n`];
    const { stdout } = await finish('runuser', words);
    const [head = '', body = ''] = stdout.split('\r\n\r\n');
    return { status: head.split(' ')[1] ?? '', body };
  };
  /** As root, without the time that a command takes. */
  const list = async (path = '/requests'): Promise<readonly LiveRequest[]> => {
    const client = connect(socket);
    client.write(`GET ${path} HTTP/1.1\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of client) chunks.push(chunk as Buffer);
    const [, body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
    return (JSON.parse(body) as { requests: LiveRequest[] }).requests;
  };
  const listed = (uri: string, state: string): Promise<LiveRequest> =>
    until(`${uri} to be ${state}`, async () =>
      (await list()).find((one) => one.uri === uri && one.state === state),
    );

  await t.test('who runs and who waits, and their end', async (t) => {
    t.match(await guise.says('requests'), 'no request is waiting or running');
    for (const [n, server] of servers.entries()) {
      const first = get(server.at(bob), `/slow.php?ms=60000&n=${n}`);
      const one = await listed(`/slow.php?ms=60000&n=${n}`, 'running');
      t.match(one, {
        site: bob.name,
        uid: bob.user.uid,
        state: 'running',
        client: '127.0.0.1',
        method: 'GET',
      });
      t.ok(guise.processesOf(bob.user).some(({ pid }) => pid === one.pid));
      const second = get(server.at(bob), `/slow.php?ms=1&n=${n}`);
      const other = await listed(`/slow.php?ms=1&n=${n}`, 'waiting');
      t.match(other, { state: 'waiting', pid: 0 });
      t.equal((await list(`/requests/${alice.name}`)).length, 0);
      t.match(await guise.says('requests', bob.name), /^ID .*\n.*running.*\n.*waiting/);
      t.match(await guise.says('kill', other.id), `killed: request ${other.id} of bob.test, which waited`);
      t.equal((await second).status, 502);
      t.match(await guise.says('kill', one.id), /ran for \d+ ms in process \d+/);
      const page = await first;
      t.equal(page.status, 502);
      t.match(page.text(), `Reference: ${one.id}`);
      const line = await until('its line', () =>
        readText(`${instance.log}/sites/${bob.name}/requests.log`)
          .split('\n')
          .find((text) => text.includes(one.id)),
      );
      t.match(JSON.parse(line), { reason: 'killed', endedBy: 'operator', byUid: 0, status: 502 });
      t.equal((await guise.run('kill', one.id)).code, 7, 'it is over');
    }
    t.equal((await get(apache.at(bob), '/whoami.php')).status, 200, 'the site goes on');
    const [line] = await guise.logged(/request killed/);
    t.match(line, { site: bob.name, byUid: 0 });
  });

  await t.test('the user of a site sees and ends his own, and nobody else does', async (t) => {
    const visit = get(apache.at(bob), '/slow.php?ms=60000&own');
    const { id } = await listed('/slow.php?ms=60000&own', 'running');
    t.match((await asks(bob.user.name, 'GET /requests')).body, id);
    t.notMatch((await asks(alice.user.name, 'GET /requests')).body, id);
    t.notMatch((await asks(alice.user.name, `GET /requests/${bob.name}`)).body, id);
    t.equal((await asks(alice.user.name, `POST /kill/${id}`)).status, '404');
    t.equal((await asks('www-data', 'GET /requests')).status, '403');
    t.equal((await asks('www-data', `POST /kill/${id}`)).status, '403');
    t.ok(
      (await list()).some((one) => one.id === id),
      'it still runs',
    );
    t.equal((await asks(bob.user.name, `POST /kill/${id}`)).status, '200');
    t.equal((await visit).status, 502);
    const lines = await guise.logged(new RegExp(`"request killed"|${id}`));
    t.ok(
      lines.some((line) => line.id === id && line.byUid === bob.user.uid),
      'the log says that it was he',
    );
  });

  await t.test('nonsense costs its sender the connection', async (t) => {
    for (const line of ['GET /', 'POST /kill/../x', 'x'.repeat(9000)])
      t.match((await asks('root', line)).status, /^4\d\d$/, line.slice(0, 20));
    t.equal(
      (await asks(bob.user.name, `GET /requests HTTP/1.1\r\nContent-Length: 5\r\n\r\nx`)).status,
      '400',
    );
    const silent = connect(socket);
    await new Promise((resolve) => silent.once('connect', resolve));
    t.equal((await list()).length, 0, 'who says nothing is in nobody’s way');
    silent.destroy();
  });

  await t.test('guise logs: the end of a file, and what is added, over rotation', async (t) => {
    const file = `${instance.log}/sites/${alice.name}/requests.log`;
    for (let n = 0; n < 5; n++) await get(apache.at(alice), `/whoami.php?line=${n}`);
    await until('the last line', () => readText(file).includes('?line=4'));
    const two = (await guise.says('logs', alice.name, '-n', '2')).trim().split('\n');
    t.equal(two.length, 2);
    // Ends are noticed when somebody looks, those of several workers in any order.
    for (const line of two)
      t.match(
        line,
        /^\d{4}-.* [0-9a-f]{12} 200 GET \/whoami\.php\?line=\d {2}\d+ms, waited \d+ms, cpu \d+ms$/,
      );
    t.equal((await guise.says('logs', alice.name, '--refusals')).trim(), '');
    t.match(await guise.says('logs', bob.name, '--refusals', '-n', '1'), /killed \(operator\)/);
    const as = (user: string, ...words: string[]) =>
      finish('runuser', ['-u', user, '--', process.execPath, program, '--config', instance.config, ...words]);
    t.match((await as(alice.user.name, 'logs', alice.name)).stdout, '?line=4', 'her own');
    const foreign = await as(alice.user.name, 'logs', bob.name);
    t.match(foreign, { code: 4, stdout: '', stderr: /may not read/ });
    t.equal((await guise.run('logs', '../../etc')).code, 7);

    const followed = guise.run('logs', alice.name, '-f', '-n', '1', '--json');
    const follower = await until('it to follow', () =>
      guise
        .processes()
        .find(({ pid, command }) => /logs alice\.test -f/.test(command) && descriptors(pid).includes(file)),
    );
    await get(apache.at(alice), '/whoami.php?before');
    await until('its line', () => readText(file).includes('?before'));
    renameSync(file, `${file}.1`);
    await guise.says('reopen');
    await get(apache.at(alice), '/whoami.php?after');
    await until('its line', () => readText(file).includes('?after'));
    // It looks four times a second; a second SIGINT would be too many.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    process.kill(follower.pid, 'SIGINT');
    const { stdout, code } = await followed;
    t.equal(code, 0);
    const seen = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { uri: string }).uri);
    t.same(seen.slice(-2), ['/whoami.php?before', '/whoami.php?after']);
  });
});
