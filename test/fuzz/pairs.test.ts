/** Name-value pairs survive the way there and back; any other block is walked within its bounds. */
import fc from 'fast-check';
import t from 'tap';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { countPairs, PairCursor } from '../../src/fastcgi/pairs.js';
import { Head } from '../../src/request/head.js';
import { content, parameters } from './pieces.js';
import { fuzzSettings } from './settings.js';

t.test('pairs come back as they were written', async (t) => {
  const property = fc.property(parameters, (written) => {
    const block = encodePairs(written);
    const cursor = new PairCursor(block);
    const read: [string, string][] = [];
    while (cursor.next()) {
      const name = block.toString('utf8', cursor.nameStart, cursor.nameEnd);
      read.push([name, block.toString('utf8', cursor.valueStart, cursor.valueEnd)]);
    }
    // Lone surrogates cannot be written in UTF-8: they come back as the replacement character.
    const expected = written.map(([name, value]) => [
      Buffer.from(name).toString(),
      Buffer.from(value).toString(),
    ]);
    return !cursor.malformed && JSON.stringify(read) === JSON.stringify(expected);
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});

t.test('any block: each span lies behind the one before, and within the block', async (t) => {
  const property = fc.property(content, fc.nat(10), fc.nat(10), (block, skipped, left) => {
    const end = Math.max(skipped, block.length - left);
    const cursor = new PairCursor(block, skipped, Math.min(end, block.length));
    let count = 0;
    let at = skipped;
    while (cursor.next()) {
      count += 1;
      const { nameStart, nameEnd, valueStart, valueEnd } = cursor;
      if (!(at < nameStart && nameStart <= nameEnd && nameEnd === valueStart && valueStart <= valueEnd))
        return false;
      if (valueEnd > end) return false;
      at = valueEnd;
    }
    const counted = countPairs(block, skipped, Math.min(end, block.length));
    return counted === (cursor.malformed ? -1 : count);
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});

t.test('a head of any block: no exception, and no key is left in it', async (t) => {
  const secret = '0123456789abcdef';
  const name = fc.oneof(
    fc.constant('GUISE_KEY'),
    fc.nat(5).map((n) => `${'REDIRECT_'.repeat(n)}GUISE_KEY`),
  );
  const pair = fc.oneof(fc.tuple(name, fc.constant(secret)), fc.tuple(fc.string(), fc.string()));
  const property = fc.property(
    fc.array(pair, { maxLength: 20 }),
    content,
    fc.boolean(),
    (pairs, rest, dirty) => {
      const block = Buffer.concat([encodePairs(pairs), dirty ? rest : Buffer.alloc(0)]);
      const head = Head.scan(1, false, block, 1000);
      if (typeof head === 'string') return dirty && head === 'malformed-params';
      const expected =
        pairs.some(([n]) => n === 'GUISE_KEY') && head.conflict === undefined ? secret : undefined;
      if (!dirty && head.key?.toString() !== expected) return false;
      head.blankKeys();
      return !head.params.includes(secret) && head.key === undefined;
    },
  );
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});
