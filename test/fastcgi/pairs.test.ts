import t from 'tap';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { countPairs, PairCursor } from '../../src/fastcgi/pairs.js';

function read(
  block: Buffer,
  start?: number,
  end?: number,
): { pairs: [string, string][]; malformed: boolean } {
  const cursor = new PairCursor(block, start, end);
  const pairs: [string, string][] = [];
  while (cursor.next()) {
    const name = block.toString('latin1', cursor.nameStart, cursor.nameEnd);
    pairs.push([name, block.toString('latin1', cursor.valueStart, cursor.valueEnd)]);
  }
  return { pairs, malformed: cursor.malformed };
}

t.test('pairs with short and long lengths, with empty names and values', async (t) => {
  const pairs: [string, string][] = [
    ['A', 'x'.repeat(127)],
    ['B'.repeat(128), 'y'.repeat(70_000)],
    ['', 'no name'],
    ['C', ''],
  ];
  t.same(read(encodePairs(pairs)), { pairs, malformed: false });
  t.equal(countPairs(encodePairs(pairs)), 4);
});

t.test('four bytes may say what one could', async (t) => {
  const block = Buffer.concat([Buffer.of(0x80, 0, 0, 1, 0x80, 0, 0, 2), Buffer.from('Axy')]);
  t.same(read(block), { pairs: [['A', 'xy']], malformed: false });
});

t.test('no block is no pairs', async (t) => {
  t.same(read(Buffer.alloc(0)), { pairs: [], malformed: false });
  t.equal(countPairs(Buffer.alloc(0)), 0);
});

t.test('a part of a buffer', async (t) => {
  const block = encodePairs([
    ['A', '1'],
    ['B', '2'],
    ['C', '3'],
  ]);
  t.same(read(block, 4, 8), { pairs: [['B', '2']], malformed: false });
  // The bytes behind `end` belong to somebody else, even where they would complete a pair.
  t.same(read(block, 4, 7), { pairs: [], malformed: true });
});

t.test('lengths beyond the end are malformed', async (t) => {
  const blocks = [
    '01',
    '0102',
    '010141',
    '80',
    '800000',
    '00800000',
    'ffffffff0041',
    '00ffffffff41',
    'ffffffffffffffff',
  ];
  for (const hex of blocks) {
    const block = Buffer.from(hex, 'hex');
    t.equal(countPairs(block), -1, hex);
    const cursor = new PairCursor(block);
    t.equal(cursor.next(), false);
    t.equal(cursor.malformed, true);
    t.equal(cursor.next(), false, 'and it stays so');
  }
});

t.test('pairs before the fault are seen, the fault is told', async (t) => {
  const block = Buffer.concat([encodePairs([['A', '1']]), Buffer.of(200)]);
  t.same(read(block), { pairs: [['A', '1']], malformed: true });
});
