/**
 * A visitor's body holds the bytes of a whole FastCGI request. Whoever reads less of a body than was sent, and then goes
 * on with the next request of a kept connection, runs it: with parameters that no web server has set.
 */

import { gzipSync } from 'node:zlib';
import { encodeBeginRequest, encodeParams, encodeRecord } from '../../src/fastcgi/encode.js';
import { FcgiClient, type Params, paramsFor, request } from '../harness/fcgi-client.js';
import { get, raw } from '../harness/http.js';
import { arena, forge, htaccess } from './arena.js';

await arena(
  async (t, { instance, bob, alice, fpm, guise }) => {
    const openSafe = 'the safe is open';
    // Even with everything that a visitor cannot know.
    const smuggled = request(
      await paramsFor(instance, bob, '/admin.php', { REMOTE_USER: 'admin', HTTPS: 'on' }),
      { keep: true },
    );
    const body = Buffer.concat([Buffer.from('name'), smuggled]);
    /** A request with a body that is longer, or of another kind, than its parameters say. */
    const misleading = async (more: Params): Promise<Buffer> => {
      const params = await paramsFor(instance, bob, '/index.php', { REQUEST_METHOD: 'POST', ...more });
      return Buffer.concat([
        encodeBeginRequest(1, 1, 1),
        encodeParams(1, Object.entries(params)),
        encodeRecord(5, 1, body),
        encodeRecord(5, 1),
      ]);
    };

    await t.test('the bytes are a request, where they are taken for one', async (t) => {
      for (const socket of [fpm.service.listen(bob), instance.socket]) {
        const client = await FcgiClient.connect(socket);
        client.send(smuggled);
        t.match((await client.answer()).body, openSafe);
        client.end();
      }
    });

    await t.test('php-fpm reads no further where it has not read a body to its end', async (t) => {
      const client = await FcgiClient.connect(fpm.service.listen(bob));
      client.send(await misleading({ CONTENT_LENGTH: '4' }));
      t.match((await client.answer()).body, 'front page');
      await client.closed();
      t.pass('and closes the connection');
    });

    const lengths = ['4', '0', '', '-1', ' 4', '4, 4', '0x4', String(body.length - 1), String(body.length)];
    for (const length of lengths) {
      await t.test(`guise: a body is a body, CONTENT_LENGTH ${JSON.stringify(length)}`, async (t) => {
        const client = await FcgiClient.connect(instance.socket);
        client.send(await misleading({ CONTENT_LENGTH: length }));
        t.match((await client.answer()).body, `front page of ${bob.name}`);
        // Were there another answer, it would come before the next one's.
        client.send(request(await paramsFor(instance, alice, '/index.php'), { keep: true }));
        t.match((await client.answer()).body, `front page of ${alice.name}`);
        client.end();
      });
    }

    await t.test('guise: too long a length ends the request, not the connection’s order', async (t) => {
      const client = await FcgiClient.connect(instance.socket);
      client.send(await misleading({ CONTENT_LENGTH: String(body.length + 100) }));
      t.equal((await client.answer()).status, 400);
      client.send(request(await paramsFor(instance, alice, '/index.php'), { keep: true }));
      t.match((await client.answer()).body, `front page of ${alice.name}`);
      client.end();
    });

    for (const web of guise.webs) {
      await t.test(
        `guise behind ${web.name}, connections kept: every visitor gets his own page`,
        async (t) => {
          const { port } = web.at(bob);
          const head = (...lines: string[]): Buffer =>
            Buffer.from(
              ['POST /index.php HTTP/1.1', `Host: ${bob.name}`, 'Connection: close', ...lines, '', ''].join(
                '\r\n',
              ),
            );
          const chunked = Buffer.concat([
            Buffer.from(`${body.length.toString(16)}\r\n`),
            body,
            Buffer.from('\r\n0\r\n\r\n'),
          ]);
          const attempts: readonly (readonly [string, Buffer])[] = [
            ['chunked', Buffer.concat([head('Transfer-Encoding: chunked'), chunked])],
            ['both', Buffer.concat([head('Content-Length: 4', 'Transfer-Encoding: chunked'), chunked])],
            [
              'two lengths',
              Buffer.concat([head('Content-Length: 4', `Content-Length: ${body.length}`), body]),
            ],
            ['short', Buffer.concat([head('Content-Length: 4'), body])],
            [
              'odd coding',
              Buffer.concat([head('Content-Length: 4', 'Transfer-Encoding: xchunked'), chunked]),
            ],
          ];
          for (const [what, bytes] of attempts) {
            const answer = await raw(port, bytes).catch(() => '');
            t.notMatch(answer, openSafe, what);
            for (const site of [alice, bob]) {
              t.equal((await get(web.at(site), '/index.php')).text(), `front page of ${site.name}`, what);
            }
          }
        },
      );
    }

    await t.test(
      'guise behind Apache: a filter that makes bodies longer, and a length that a tenant forges',
      async (t) => {
        for (const lines of [['SetInputFilter DEFLATE'], [forge('CONTENT_LENGTH', '4')]]) {
          htaccess(alice, ...lines);
          const packed = lines[0]?.startsWith('Set') === true;
          const reply = await get(guise.apache(alice), '/index.php', {
            body: packed ? gzipSync(body) : body,
            headers: packed ? { 'content-encoding': 'gzip' } : {},
          });
          t.equal(reply.text(), `front page of ${alice.name}`);
          t.equal((await get(guise.apache(bob), '/index.php')).text(), `front page of ${bob.name}`);
        }
      },
    );
  },
  { nginx: true, kept: true },
);
