/** The control socket: HTTP and JSON for root and a group; nonsense costs its sender the connection. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { StatusReport } from '../../src/control/api.js';
import { finish, succeed } from '../../src/quickstart/command.js';
import { journey } from '../harness/world.js';

/** A group that exists when the daemon starts: one of the router user's. */
const group = `guise-t-${process.pid}-router-x`;

await journey(
  async (t, world) => {
    const { guise, users } = world;
    const site = await guise.addSite({ name: 'told.test', user: 'alice' });
    const socket = `${guise.instance.run}/control.sock`;
    const curl = (...args: string[]) => succeed('curl', ['-s', '-m', '10', '--unix-socket', socket, ...args]);

    /** Sends bytes and answers with what comes back until the other side closes. */
    const send = async (bytes: string | Buffer): Promise<string> => {
      const peer = connect(socket);
      let text = '';
      peer.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      peer.on('error', () => undefined);
      peer.setTimeout(15_000, () => peer.destroy());
      peer.end(bytes);
      await once(peer, 'close');
      return text;
    };

    await t.test('curl', async (t) => {
      const status = JSON.parse(await curl('http://localhost/status')) as StatusReport;
      t.equal(status.pid, guise.pid);
      t.match(status.sites, [{ name: 'told.test', uid: site.user.uid, mode: 'pool' }]);
      t.match(JSON.parse(await curl('http://localhost/ping')), { pid: guise.pid });
      t.match(await curl('-o', '/dev/null', '-w', '%{http_code}', 'http://localhost/nowhere'), '404');
      t.match(
        await curl('-o', '/dev/null', '-w', '%{http_code}', '-X', 'PUT', 'http://localhost/status'),
        '405',
      );
      t.notMatch(await curl('http://localhost/sites'), guise.keyOf('told.test') ?? 'no key at all');
    });

    await t.test('nonsense', async (t) => {
      const bodies = [
        '{',
        '[]',
        '{"name": 1}',
        '{"__proto__": {"a": 1}}',
        `{"name": "${'x'.repeat(400_000)}"}`,
      ];
      const requests = [
        'nonsense\r\n\r\n',
        '\0\0\0\0\0\0\0\0',
        Buffer.alloc(100_000, 0xff),
        'GET /status',
        'GET /status HTTP/1.1\r\n\r\n',
        'GET /status HTTP/9.9\r\nHost: localhost\r\n\r\n',
        `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        `GET /ping HTTP/1.1\r\nHost: localhost\r\n${'x: y\r\n'.repeat(20_000)}\r\n`,
        'POST /sites HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
        'POST /sites HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
        'POST /sites HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
        'DELETE /sites/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n',
        'DELETE /sites/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n',
        ...bodies.map(
          (body) =>
            `POST /sites HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ),
      ];
      for (const request of requests) {
        const answer = await send(request);
        const shown = JSON.stringify(request.toString('latin1').slice(0, 50));
        t.ok(
          answer === '' || /^HTTP\/1\.1 [4]\d\d /.test(answer),
          `${shown}: ${answer.split('\r\n')[0] ?? ''}`,
        );
      }
      t.equal((await guise.run('ping')).code, 0, 'the daemon is well');
      t.match((await guise.status()).sites, [{ name: 'told.test' }], 'and has the sites that it had');
      t.equal((await guise.status()).sites.length, 1);
    });

    await t.test('many who say nothing keep nobody out', async (t) => {
      const silent = Array.from({ length: 30 }, () => connect(socket));
      await Promise.all(silent.map((peer) => once(peer, 'connect')));
      t.equal((await guise.run('ping')).code, 0);
      for (const peer of silent) peer.destroy();
    });

    await t.test('others may not', async (t) => {
      const nobody = await users.get('nobody');
      const as = (name: string) =>
        finish('runuser', [
          '-u',
          name,
          '--',
          'curl',
          '-s',
          '-m',
          '10',
          '--unix-socket',
          socket,
          'http://localhost/ping',
        ]);
      t.match(await as(nobody.name), { stdout: /NOT_PERMITTED/ }, 'a user without rights gets nothing');
      t.match(await as(site.user.name), { stdout: /"pid"/ }, 'the user of a site may');
      const member = await users.get('member');
      await succeed('usermod', ['-aG', group, member.name]);
      t.match(await as(member.name), { code: 0 }, 'a member of the group can');
    });
  },
  { control: `group = "${group}"` },
);
