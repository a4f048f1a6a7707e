import t from 'tap';
import { RecordType } from '../../src/fastcgi/constants.js';
import { encodeRecord, encodeStreamEnd } from '../../src/fastcgi/encode.js';
import { RecordDecoder } from '../../src/fastcgi/records.js';

/** Every step until the bytes are used up, in pieces of a size. */
function steps(bytes: Buffer, size: number): string[] {
  const decoder = new RecordDecoder();
  const seen: string[] = [];
  for (let from = 0; from < bytes.length; from += size) {
    const chunk = bytes.subarray(from, from + size);
    for (let at = 0; ; at = decoder.position) {
      const step = decoder.next(chunk, at, chunk.length);
      if (step === 'more') break;
      if (step === 'record') seen.push(`${decoder.type}/${decoder.requestId}/${decoder.contentLength}`);
      else if (step === 'content') {
        const text = chunk.toString('latin1', decoder.contentStart, decoder.contentEnd);
        seen.push(`${text}+${decoder.remaining}`);
      } else seen.push(step);
      if (step === 'broken') return seen;
    }
  }
  return seen;
}

const stream = Buffer.concat([
  encodeRecord(RecordType.PARAMS, 0x0102, Buffer.from('abc')),
  encodeStreamEnd(RecordType.PARAMS, 1),
]);

t.test('a record in one piece: header, content, end', async (t) => {
  t.same(steps(stream, 100), ['4/258/3', 'abc+0', 'end', '4/1/0', 'end']);
});

t.test('the same in small pieces: the content comes in slices', async (t) => {
  t.same(steps(stream, 1), ['4/258/3', 'a+2', 'b+1', 'c+0', 'end', '4/1/0', 'end']);
  t.same(steps(stream, 3), ['4/258/3', 'a+2', 'bc+0', 'end', '4/1/0', 'end']);
  t.same(steps(stream, 8), ['4/258/3', 'abc+0', 'end', '4/1/0', 'end']);
});

t.test('a record ends behind its padding', async (t) => {
  const decoder = new RecordDecoder();
  const record = encodeRecord(RecordType.STDIN, 1, Buffer.from('abc'));
  t.equal(decoder.next(record, 0, 12), 'record');
  t.equal(decoder.next(record, 8, 12), 'content');
  t.equal(decoder.next(record, 11, 12), 'more');
  t.equal(decoder.atBoundary, false);
  t.equal(decoder.next(record, 12, 16), 'end');
  t.equal(decoder.position, 16);
  t.equal(decoder.atBoundary, true);
});

t.test('bytes behind a record stay where they are', async (t) => {
  const decoder = new RecordDecoder();
  const chunk = Buffer.concat([Buffer.from('..'), encodeStreamEnd(RecordType.STDIN, 1), Buffer.from('rest')]);
  t.equal(decoder.next(chunk, 2, chunk.length), 'record');
  t.equal(decoder.next(chunk, decoder.position, chunk.length), 'end');
  t.equal(decoder.position, 10);
});

t.test('a begun header is no boundary', async (t) => {
  const decoder = new RecordDecoder();
  t.equal(decoder.atBoundary, true);
  t.equal(decoder.next(stream, 0, 1), 'more');
  t.equal(decoder.atBoundary, false);
});

t.test('another version breaks it for good, at its first byte', async (t) => {
  t.same(steps(Buffer.from('GET / HTTP/1.1\r\n'), 100), ['broken']);
  t.same(steps(Buffer.concat([stream, Buffer.of(2)]), 1).at(-1), 'broken');
  const decoder = new RecordDecoder();
  t.equal(decoder.next(Buffer.of(0), 0, 1), 'broken');
  t.equal(decoder.next(stream, 0, stream.length), 'broken');
});
