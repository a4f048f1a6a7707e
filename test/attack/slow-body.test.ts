/** A few visitors upload very slowly, and nobody else is served: the workers wait for bytes (slowloris, R.U.D.Y.). */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '../../src/quickstart/until.js';
import { get } from '../harness/http.js';
import { arena, type Side } from './arena.js';

/** More than a pool of php-fpm's defaults has workers, and more than the site may have. */
const attackers = 12;

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    /** Begins an upload and leaves it at that. */
    const begin = async (side: Side): Promise<Socket[]> => {
      const { port, host } = side.apache(alice);
      const sockets = Array.from({ length: attackers }, () => connect(port, '127.0.0.1'));
      for (const socket of sockets) {
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(`POST /body.php HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\n`);
        // Apache sends a request on when it has seen some of its body.
        socket.write(Buffer.alloc(100_000));
      }
      return sockets;
    };
    const end = (sockets: readonly Socket[]): void => {
      for (const socket of sockets) socket.destroy();
    };
    const visit = async (side: Side): Promise<string> => {
      const reply = await get(side.apache(alice), '/index.php', { deadlineMs: 1500 }).catch(() => undefined);
      return reply?.text() ?? 'waits in vain';
    };

    await t.test('php-fpm: the pool is full of visitors who do nothing', async (t) => {
      const sockets = await begin(fpm);
      await until('the pool to be full', async () => (await visit(fpm)) === 'waits in vain', 20_000);
      t.equal(await visit(fpm), 'waits in vain');
      end(sockets);
    });

    await t.test('guise: they cost a file each, and no worker', async (t) => {
      const sockets = await begin(guise);
      await until('all to have begun', async () => (await instance.routerConnections()) >= attackers);
      t.equal(await visit(guise), `front page of ${alice.name}`);
      const { busy, total } = (await instance.siteStatus(alice.name)).workers;
      t.equal(busy, 0, `none of ${total} workers is busy`);
      end(sockets);
    });

    await t.test('guise: whoever brings nothing for too long is sent away', async (t) => {
      const sockets = await begin(guise);
      const timeouts = (): number => instance.log().filter((line) => line.reason === 'read-timeout').length;
      await until('the router to refuse them', () => timeouts() >= attackers);
      t.pass('all of them');
      end(sockets);
    });
  },
  { toml: { router: 'read_timeout = "2s"' }, alice: { args: ['--max-workers', '4'] } },
);
