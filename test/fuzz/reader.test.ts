/** Sound requests are read as they were sent, cut anywhere; no bytes make the reader throw, hang or grow. */
import fc from 'fast-check';
import t from 'tap';
import { encodeBeginRequest, encodePairs, encodeRecord, encodeStreamEnd } from '../../src/fastcgi/encode.js';
import { defaultReadLimits } from '../../src/request/limits.js';
import { RequestReader } from '../../src/request/reader.js';
import type { IncomingRequest, ReadResult } from '../../src/request/result.js';
import { content, cuts, hostileBytes, parameters, pieces } from './pieces.js';
import { fuzzSettings } from './settings.js';

const limits = {
  ...defaultReadLimits,
  maxParamsBytes: 2000,
  maxBodyBytes: 1000,
  memoryBodyBytes: 1000,
  maxDrainBytes: 3000,
  maxReplies: 4,
  maxRecordsWithoutProgress: 10,
};

function readerWith(own: Partial<typeof limits> = {}): RequestReader {
  return new RequestReader({
    limits: { ...limits, ...own },
    spoolDirectory: '/nonexistent',
    maxConnections: 1,
  });
}

interface Read {
  readonly results: ReadResult[];
  readonly requests: IncomingRequest[];
  readonly replyBytes: number;
}

/** Reads as the router does: `reset` after each request, and the end with the first breach. */
function read(reader: RequestReader, bytes: Buffer, sizes: readonly number[], refuseHeads = false): Read {
  const results: ReadResult[] = [];
  const requests: IncomingRequest[] = [];
  let replyBytes = 0;
  for (const chunk of pieces(bytes, sizes)) {
    let at = 0;
    for (let calls = 0; ; calls += 1) {
      if (calls > 10 * chunk.length + 10) throw new Error('the reader does not get on');
      const result = reader.push(chunk, at, chunk.length);
      if (reader.position < at || reader.position > chunk.length)
        throw new Error('the position left the chunk');
      at = reader.position;
      replyBytes += reader.takeReplies()?.length ?? 0;
      if (result.kind === 'more') {
        if (at !== chunk.length) throw new Error('bytes were left');
        break;
      }
      results.push(result);
      if (result.kind === 'broken') return { results, requests, replyBytes };
      if (result.kind === 'head' && refuseHeads) reader.discard();
      if (result.kind === 'complete') requests.push(result.request);
      if (result.kind === 'complete' || result.kind === 'aborted' || result.kind === 'drained')
        reader.reset();
    }
  }
  reader.close();
  return { results, requests, replyBytes };
}

/** The streams of a request, in records of arbitrary sizes. */
function encodeIn(type: number, bytes: Buffer, sizes: readonly number[]): Buffer {
  const records = [...pieces(bytes, sizes)].map((piece) => encodeRecord(type, 1, piece));
  return Buffer.concat([...records, encodeStreamEnd(type, 1)]);
}

const request = fc.record({
  pairs: parameters,
  body: content,
  keep: fc.boolean(),
  paramCuts: cuts,
  bodyCuts: cuts,
});

t.test('requests are read as they were sent, one after another', async (t) => {
  const property = fc.property(fc.array(request, { minLength: 1, maxLength: 3 }), cuts, (sent, sizes) => {
    const bytes = sent.map(({ pairs, body, keep, paramCuts, bodyCuts }) => [
      encodeBeginRequest(1, 1, keep ? 1 : 0),
      encodeIn(4, encodePairs(pairs), paramCuts),
      encodeIn(5, body, bodyCuts),
    ]);
    const reader = readerWith({ maxParamsBytes: 1_000_000 });
    const { requests } = read(reader, Buffer.concat(bytes.flat()), sizes);
    const seen = requests.map(({ head, body }) => {
      const stored = body.kind === 'memory' ? body.buffer.toString('hex') : '';
      return [head.keep, head.params.toString('hex'), stored];
    });
    const expected = sent.map(({ pairs, body, keep }) => [
      keep,
      encodePairs(pairs).toString('hex'),
      body.toString('hex'),
    ]);
    return JSON.stringify(seen) === JSON.stringify(expected);
  });
  t.doesNotThrow(() => fc.assert(property, { ...fuzzSettings, numRuns: 1000 }));
});

/** A conversation that gets further than noise does: a request's own records, in any order, with noise between. */
const conversation = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        encodeBeginRequest(1, 1, 1),
        encodeBeginRequest(2, 1, 0),
        encodeBeginRequest(1, 2, 1),
        encodeRecord(4, 1, encodePairs([['CONTENT_LENGTH', '20']])),
        encodeStreamEnd(4, 1),
        encodeRecord(5, 1, Buffer.alloc(20)),
        encodeStreamEnd(5, 1),
        encodeStreamEnd(2, 1),
        encodeRecord(9, 0, encodePairs([['FCGI_MAX_CONNS', '']])),
      ),
      hostileBytes,
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.concat(parts));

t.test('any conversation ends without an exception, within its limits', async (t) => {
  const property = fc.property(conversation, cuts, fc.boolean(), (bytes, sizes, refuseHeads) => {
    const { results, requests, replyBytes } = read(readerWith(), bytes, sizes, refuseHeads);
    for (const { head, body } of requests) {
      if (head.params.length > limits.maxParamsBytes || body.length > limits.maxBodyBytes) return false;
    }
    // At most `maxReplies` of some 170 bytes for each request, and for what comes before the first.
    return replyBytes <= (results.length + 1) * limits.maxReplies * 200;
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});

t.test('any conversation means the same wherever it is cut', async (t) => {
  const tell = ({ results, replyBytes }: Read): string =>
    JSON.stringify([
      results.map((r) => [r.kind, 'reason' in r ? r.reason : '', 'breach' in r ? r.breach : '']),
      replyBytes,
    ]);
  const property = fc.property(conversation, cuts, fc.boolean(), (bytes, sizes, refuseHeads) => {
    const whole = read(readerWith(), bytes, [bytes.length || 1], refuseHeads);
    return tell(read(readerWith(), bytes, sizes, refuseHeads)) === tell(whole);
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});

t.test('a peer that sends without end is stopped', async (t) => {
  const endless = fc.oneof(
    fc.constant(encodeRecord(5, 9, Buffer.alloc(8))),
    fc.constant(encodeStreamEnd(4, 9)),
    fc.constant(encodeRecord(99, 0, Buffer.alloc(8))),
    fc.constant(encodeRecord(9, 0)),
    fc.constant(encodeBeginRequest(2, 1)),
    fc.constant(encodeRecord(5, 1, Buffer.alloc(8))),
    fc.constant(encodeStreamEnd(4, 1)),
  );
  const opening = fc.constantFrom(
    Buffer.alloc(0),
    encodeBeginRequest(1, 1, 1),
    encodeBeginRequest(1, 3, 1),
    Buffer.concat([encodeBeginRequest(1, 1, 1), encodeStreamEnd(4, 1)]),
  );
  const property = fc.property(opening, endless, (first, again) => {
    const bytes = Buffer.concat([first, ...Array.from({ length: 600 }, () => again)]);
    const { results } = read(readerWith(), bytes, [1000]);
    return results.at(-1)?.kind === 'broken';
  });
  t.doesNotThrow(() => fc.assert(property, { ...fuzzSettings, numRuns: 200 }));
});
