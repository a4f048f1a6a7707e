/** Whatever the encoder writes, the decoder reads, cut anywhere; and no bytes at all can confuse it. */
import fc from 'fast-check';
import t from 'tap';
import { encodeRecord, encodeStream, encodeStreamEnd } from '../../src/fastcgi/encode.js';
import { RecordDecoder } from '../../src/fastcgi/records.js';
import { content, cuts, hostileBytes, pieces } from './pieces.js';
import { fuzzSettings } from './settings.js';

interface Read {
  readonly records: { type: number; id: number; content: string }[];
  readonly broken: boolean;
  readonly atBoundary: boolean;
}

/** Reads everything, and holds the decoder to what it promises of every step. */
function decode(bytes: Buffer, sizes: readonly number[]): Read {
  const decoder = new RecordDecoder();
  const records: Read['records'] = [];
  let current: Buffer[] = [];
  for (const chunk of pieces(bytes, sizes)) {
    for (let at = 0, steps = 0; ; at = decoder.position, steps += 1) {
      const step = decoder.next(chunk, at, chunk.length);
      if (decoder.position < at || decoder.position > chunk.length)
        throw new Error('the position left the chunk');
      if (steps > 3 * chunk.length + 3) throw new Error('more steps than bytes allow');
      if (step === 'broken') return { records, broken: true, atBoundary: false };
      if (step === 'record') current = [];
      if (step === 'content') current.push(chunk.subarray(decoder.contentStart, decoder.contentEnd));
      if (step === 'end') {
        const whole = Buffer.concat(current);
        if (whole.length !== decoder.contentLength) throw new Error('content and its length differ');
        records.push({ type: decoder.type, id: decoder.requestId, content: whole.toString('hex') });
      }
      if (step !== 'more') continue;
      if (decoder.position !== chunk.length) throw new Error('bytes were left');
      break;
    }
  }
  return { records, broken: false, atBoundary: decoder.atBoundary };
}

t.test('records come back as they were written', async (t) => {
  const record = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.nat(65_535), content);
  const property = fc.property(fc.array(record, { maxLength: 20 }), cuts, (written, sizes) => {
    const bytes = Buffer.concat(written.map(([type, id, body]) => encodeRecord(type, id, body)));
    if (bytes.length % 8 !== 0) throw new Error('not padded');
    const read = decode(bytes, sizes);
    const expected = written.map(([type, id, body]) => ({ type, id, content: body.toString('hex') }));
    return !read.broken && read.atBoundary && JSON.stringify(read.records) === JSON.stringify(expected);
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});

t.test('a long stream comes back whole', async (t) => {
  const lengths = fc.integer({ min: 65_000, max: 200_000 });
  const property = fc.property(lengths, fc.integer({ min: 1000, max: 70_000 }), (length, size) => {
    const body = Buffer.alloc(length, 'guise');
    const bytes = Buffer.concat([encodeStream(6, 1, body), encodeStreamEnd(6, 1)]);
    const { records } = decode(bytes, [size]);
    return records.at(-1)?.content === '' && records.map((r) => r.content).join('') === body.toString('hex');
  });
  t.doesNotThrow(() => fc.assert(property, { ...fuzzSettings, numRuns: 100 }));
});

t.test('any bytes mean the same wherever they are cut', async (t) => {
  const property = fc.property(hostileBytes, cuts, (bytes, sizes) => {
    const whole = decode(bytes, [bytes.length || 1]);
    return JSON.stringify(decode(bytes, sizes)) === JSON.stringify(whole);
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});
