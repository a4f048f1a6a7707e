/** What the exchanges in test/vectors do not show: phases, what the caller may do in between, what is held. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { KEEP_CONN, RecordType, Role } from '../../src/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeParams,
  encodeRecord,
  encodeStdin,
  encodeStreamEnd,
} from '../../src/fastcgi/encode.js';
import { close } from '../../src/os/socket.js';
import { defaultReadLimits, type ReadLimits } from '../../src/request/limits.js';
import { RequestReader } from '../../src/request/reader.js';
import type { ReadResult } from '../../src/request/result.js';

const { STDIN, PARAMS } = RecordType;
const begin = encodeBeginRequest(1, Role.RESPONDER, KEEP_CONN);
const params = encodeParams(1, [
  ['REQUEST_METHOD', 'POST'],
  ['CONTENT_LENGTH', '504'],
]);
const body = encodeRecord(STDIN, 1, Buffer.alloc(504, 'b'));
const end = encodeStreamEnd(STDIN, 1);

function readerWith(limits: Partial<ReadLimits> = {}): RequestReader {
  return new RequestReader({
    limits: { ...defaultReadLimits, ...limits },
    spoolDirectory: '/nonexistent',
    maxConnections: 100,
  });
}

function push(reader: RequestReader, ...parts: Buffer[]): ReadResult {
  const chunk = Buffer.concat(parts);
  return reader.push(chunk, 0, chunk.length);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

t.test('the phases of a request', async (t) => {
  const reader = readerWith();
  t.equal(reader.phase, 'idle');
  t.equal(reader.requestId, 0);
  push(reader, begin.subarray(0, 1));
  t.equal(reader.phase, 'params', 'the first byte of a request');
  push(reader, begin.subarray(1));
  t.equal(reader.phase, 'params');
  t.equal(reader.requestId, 1);
  t.equal(reader.keep, true);
  t.equal(push(reader, params).kind, 'head');
  t.equal(reader.phase, 'body');
  t.equal(push(reader, body).kind, 'more');
  t.equal(reader.phase, 'body');
  t.equal(push(reader, end).kind, 'complete');
  t.equal(reader.phase, 'done');
  reader.reset();
  t.equal(reader.phase, 'idle');
  t.equal(reader.requestId, 0);
});

t.test('the request is what was sent', async (t) => {
  const result = [push(readerWith(), begin), undefined];
  t.equal(result[0]?.kind, 'more');
  const reader = readerWith();
  push(reader, begin, params);
  const complete = push(reader, body, end);
  if (complete.kind !== 'complete') throw new Error(complete.kind);
  const { request } = complete;
  t.equal(request.head.method, 'POST');
  t.same(request.body, { kind: 'memory', buffer: Buffer.alloc(504, 'b'), length: 504 });
});

t.test('each result says how far it got', async (t) => {
  const reader = readerWith();
  const chunk = Buffer.concat([Buffer.from('..'), begin, params, body, end, begin, params.subarray(0, 4)]);
  t.equal(reader.push(chunk, 2, chunk.length).kind, 'head');
  t.equal(reader.position, 2 + begin.length + params.length);
  t.equal(reader.push(chunk, reader.position, chunk.length).kind, 'complete');
  const next = reader.position;
  t.equal(next, 2 + begin.length + params.length + body.length + end.length);
  reader.reset();
  t.equal(reader.push(chunk, next, chunk.length).kind, 'more');
  t.equal(reader.position, chunk.length);
  t.equal(reader.phase, 'params');
});

t.test('a site’s own limit refuses before the body, and drains what was on its way', async (t) => {
  const reader = readerWith();
  push(reader, begin, params);
  reader.bodyLimit = 503;
  const refused = push(reader);
  t.match(refused, { kind: 'refuse', status: 413, requestId: 1, keep: true });
  t.equal(refused.kind === 'refuse' && refused.head?.method, 'POST', 'for the ledger');
  t.equal(reader.phase, 'drain');
  t.equal(push(reader, body).kind, 'more');
  t.equal(push(reader, end).kind, 'drained');
  t.equal(reader.phase, 'done');
  reader.reset();
  t.equal(push(reader, begin, params).kind, 'head');
  t.equal(push(reader, body, end).kind, 'complete', 'the limit was for that request alone');
});

t.test('a larger limit of a site', async (t) => {
  const reader = readerWith({ maxBodyBytes: 10 });
  push(reader, begin, params);
  reader.bodyLimit = 504;
  t.equal(push(reader, body, end).kind, 'complete');
});

t.test('the router refuses: discard, wherever the record is cut', async (t) => {
  const whole = Buffer.concat([begin, params, body, end]);
  for (let cut = 0; cut < whole.length; cut += 1) {
    const reader = readerWith();
    let at = 0;
    while (reader.push(whole, at, cut).kind === 'head') at = reader.position;
    const begun = cut >= 8;
    reader.discard();
    t.equal(reader.phase === 'drain', begun, `phase after ${cut}`);
    if (!begun) continue;
    const result = reader.push(whole, cut, whole.length);
    if (result.kind !== 'drained' || reader.position !== whole.length) t.fail(`after ${cut}: ${result.kind}`);
  }
});

t.test('a complete request cannot be discarded any more', async (t) => {
  const reader = readerWith();
  push(reader, begin, params);
  push(reader, body, end);
  reader.discard();
  t.equal(reader.phase, 'done');
});

t.test('the next request during draining waits for reset, whole', async (t) => {
  const chunk = Buffer.concat([begin, params, body, end]);
  for (const cut of [8, 9, 15, 16, 20]) {
    const reader = readerWith();
    push(reader, encodeBeginRequest(9, Role.RESPONDER, 0), encodeParams(9, []));
    reader.discard();
    t.equal(reader.push(chunk, 0, cut).kind, 'drained');
    const rest = reader.position;
    t.equal(reader.push(chunk, rest, chunk.length).kind, 'more');
    t.equal(reader.position, rest, 'nothing is used before reset');
    reader.reset();
    t.equal(reader.phase, 'params');
    t.equal(reader.push(chunk, rest, chunk.length).kind, 'head');
    t.equal(reader.requestId, 1);
    t.equal(reader.push(chunk, reader.position, chunk.length).kind, 'complete');
  }
});

t.test('empty records in a drained request wear out patience too', async (t) => {
  const reader = readerWith({ maxDrainBytes: 1000 });
  push(reader, begin);
  reader.discard();
  const empty = encodeStreamEnd(PARAMS, 1);
  let pushed = 0;
  while (push(reader, empty).kind === 'more') pushed += 1;
  t.equal(pushed, 1000 / empty.length);
  t.match(push(reader), { kind: 'broken', breach: 'drain-limit' });
});

t.test('after the end: an abort is heard, the rest is ignored, the id stays in use', async (t) => {
  const complete = (): RequestReader => {
    const reader = readerWith();
    push(reader, begin, params);
    push(reader, body, end);
    return reader;
  };
  t.equal(push(complete(), end, body).kind, 'more');
  t.match(push(complete(), encodeStreamEnd(RecordType.ABORT_REQUEST, 1)), {
    kind: 'aborted',
    requestId: 1,
    keep: true,
  });
  t.match(push(complete(), begin), { kind: 'broken', breach: 'duplicate-begin' });
  const second = complete();
  t.equal(push(second, encodeBeginRequest(2, Role.RESPONDER)).kind, 'more');
  t.not(second.takeReplies(), undefined);
});

t.test('broken is for good', async (t) => {
  const reader = readerWith();
  t.match(push(reader, Buffer.from('GET /')), { kind: 'broken', breach: 'version' });
  reader.reset();
  t.equal(reader.phase, 'done');
  t.match(push(reader, begin, params), { kind: 'broken', breach: 'version' });
});

t.test('a body that cannot be stored is refused, and what was held is freed', async (t) => {
  const before = openDescriptors();
  const reader = readerWith({ memoryBodyBytes: 10, memfdBodyBytes: 600 });
  push(reader, begin, encodeParams(1, []));
  t.equal(push(reader, body).kind, 'more');
  t.equal(openDescriptors(), before + 1);
  // Above 600 bytes a file in the spool directory is needed, and there is none.
  t.match(push(reader, body), { kind: 'refuse', status: 500, reason: 'spool-failed', errno: 2 });
  t.equal(openDescriptors(), before);
  t.equal(push(reader, end).kind, 'drained');
});

t.test('every way out frees the body’s descriptor', async (t) => {
  const before = openDescriptors();
  const ways: ((reader: RequestReader) => void)[] = [
    (reader) => reader.close(),
    (reader) => reader.reset(),
    (reader) => reader.discard(),
    (reader) => push(reader, Buffer.of(9)),
    (reader) => push(reader, encodeStreamEnd(RecordType.ABORT_REQUEST, 1)),
    (reader) => {
      const result = push(reader, end);
      if (result.kind === 'complete' && result.request.body.kind === 'file') close(result.request.body.fd);
    },
  ];
  for (const leave of ways) {
    const reader = readerWith({ memoryBodyBytes: 10 });
    push(reader, begin, params);
    push(reader, body);
    t.equal(openDescriptors(), before + 1);
    leave(reader);
    t.equal(openDescriptors(), before);
  }
});

t.test('a question while a request is refused is still answered', async (t) => {
  const reader = readerWith();
  const question = encodeRecord(RecordType.GET_VALUES, 0, Buffer.from('\x0e\x00FCGI_MAX_CONNS'));
  push(reader, begin, question.subarray(0, 12));
  reader.discard();
  push(reader, question.subarray(12));
  t.match(reader.takeReplies()?.toString('latin1'), 'FCGI_MAX_CONNS100');
  t.equal(push(reader, encodeStdin(1)).kind, 'drained');
});

t.test('a reader serves another connection only when nothing of the last one is left in it', async (t) => {
  const unlimited = readerWith();
  unlimited.bodyLimit = 1;
  t.equal(push(unlimited, begin, params, body, end).kind, 'head');
  t.equal(push(unlimited, Buffer.alloc(0)).kind, 'refuse', 'its body is too large');
  push(unlimited, body, end);
  t.ok(unlimited.recycle());
  t.equal(unlimited.phase, 'idle');
  t.equal(unlimited.requestId, 0);
  push(unlimited, begin, params);
  t.equal(push(unlimited, body, end).kind, 'complete', 'the limit is not the last connection’s');

  const half = readerWith();
  push(half, begin.subarray(0, 5));
  t.notOk(half.recycle(), 'half a header');

  const unread = readerWith();
  push(unread, encodeRecord(42, 0, Buffer.alloc(0)));
  t.notOk(unread.recycle(), 'a reply that nobody has taken');

  const broken = readerWith();
  push(broken, Buffer.from('GET / HTTP/1.1\r\n'));
  t.notOk(broken.recycle(), 'no FastCGI');
});
