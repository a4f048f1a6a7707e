import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import t from 'tap';
import {
  type Breach,
  mostRequestBytes,
  parseSmallRequest,
  readSmallRequest,
  type SmallRequest,
} from '../../src/control/small-request.js';

t.test('a request line, and headers that nobody looks at', async (t) => {
  t.same(parseSmallRequest('GET /status HTTP/1.1'), { method: 'GET', path: '/status' });
  t.same(parseSmallRequest('POST /sites/a/restart HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX: \xff'), {
    method: 'POST',
    path: '/sites/a/restart',
  });
});

t.test('no body, however it is announced', async (t) => {
  for (const header of [
    'Content-Length: 1',
    'content-length : 00005',
    'Content-Length:\t7 ',
    'Content-Length: 0, 5',
    'Transfer-Encoding: chunked',
    'transfer-encoding:identity',
  ])
    t.match(parseSmallRequest(`POST /stop HTTP/1.1\r\nA: b\r\n${header}`), { breach: /body/ }, header);
});

t.test('what is no request', async (t) => {
  for (const head of [
    '',
    'GET',
    'get / HTTP/1.1',
    'GET /a b HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET / HTTP/2.0',
    'GET http://x/ HTTP/1.1',
    'GET /\0 HTTP/1.1',
    'GET /\x7f HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET /a\nHost: x HTTP/1.1',
    `GET /${'x'.repeat(501)} HTTP/1.1`,
    '\x01\x01\x00\x01FastCGI',
  ])
    t.match(parseSmallRequest(head), { breach: /not HTTP/ }, JSON.stringify(head));
});

/** What comes of these pieces, and how often something came. */
function reading(pieces: readonly (string | Buffer)[]): (SmallRequest | Breach)[] {
  const socket = new PassThrough();
  const read: (SmallRequest | Breach)[] = [];
  readSmallRequest(socket as unknown as Socket, (request) => read.push(request));
  for (const piece of pieces) socket.emit('data', Buffer.from(piece as string, 'latin1'));
  return read;
}

t.test('from any pieces, once, and never more than a page is kept', async (t) => {
  const text = 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n';
  t.same(reading([text]), [{ method: 'GET', path: '/ping' }]);
  t.same(reading(text.split('')), [{ method: 'GET', path: '/ping' }]);
  t.same(reading([text, text, 'more']), [{ method: 'GET', path: '/ping' }]);
  t.same(reading([text.slice(0, -1)]), [], 'an end that is missing is waited for');
  const large = `GET /ping HTTP/1.1\r\nX: ${'x'.repeat(mostRequestBytes)}`;
  t.match(reading([large]), [{ breach: /larger/ }]);
  t.match(reading(large.split('')), [{ breach: /larger/ }]);
  t.match(reading([`${large}\r\n\r\n`]), [{ breach: /larger/ }]);
  t.match(reading([Buffer.alloc(50_000_000)]), [{ breach: /larger/ }]);
});
