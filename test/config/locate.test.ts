import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import t from 'tap';
import { exactPlace, locateKeys, placeOf } from '../../src/config/locate.js';

const text = `# comment with "quotes" and [brackets]
name = "a"  # name = "b"
long = """
root = "not a key"
"""
list = [
  "x", # one
  'y',
  { k = 1, "quoted key" = [1, 2] },
]
dotted.inner . key = 'v]'

[table]
a = '''
[not.a.table]'''
b = 2
"c d" = { e = true, f.g = 3 }

[table.sub]
z = 1

[[many]]
one = 1
[[many]]
one = 2
`;

t.test('names the line of every key', async (t) => {
  const places = locateKeys(text);
  const expected: [(string | number)[], number][] = [
    [['name'], 2],
    [['long'], 3],
    [['list'], 6],
    [['list', 0], 7],
    [['list', 1], 8],
    [['list', 2], 9],
    [['list', 2, 'k'], 9],
    [['list', 2, 'quoted key', 1], 9],
    [['dotted'], 11],
    [['dotted', 'inner', 'key'], 11],
    [['table'], 13],
    [['table', 'a'], 14],
    [['table', 'b'], 16],
    [['table', 'c d', 'e'], 17],
    [['table', 'c d', 'f', 'g'], 17],
    [['table', 'sub', 'z'], 20],
    [['many', 0, 'one'], 23],
    [['many', 1, 'one'], 25],
  ];
  for (const [path, line] of expected) t.equal(exactPlace(places, path)?.line, line, path.join('.'));
  t.equal(exactPlace(places, ['root']), undefined, 'a key inside a string is none');
  t.equal(exactPlace(places, ['not']), undefined, 'a table inside a string is none');
  t.equal(placeOf(places, ['table', 'missing']).line, 13, 'a missing key stands where its table does');
  t.equal(placeOf(places, ['missing']).line, 1);
});

t.test('a place reaches from the key to the end of the value', async (t) => {
  const place = placeOf(locateKeys(text), ['list']);
  t.equal(text.slice(place.start, place.end), text.slice(text.indexOf('list'), text.indexOf('\ndotted')));
});

t.test('finds every key of any document', async (t) => {
  const table = fc.dictionary(
    fc.string(),
    fc.oneof(fc.string(), fc.integer(), fc.array(fc.string()), fc.dictionary(fc.string(), fc.string())),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(table, (value) => {
        const places = locateKeys(stringify(value));
        return Object.keys(parse(stringify(value))).every((key) => exactPlace(places, [key]) !== undefined);
      }),
    ),
  );
});

t.test('never throws, and always ends, on any text', async (t) => {
  const junk = fc.string({
    unit: fc.constantFrom('[', ']', '{', '}', '"', "'", '=', '\n', ',', '#', '\\', 'a', '.', ' '),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(junk, (any) => locateKeys(any) instanceof Map),
      { numRuns: 2000 },
    ),
  );
});
