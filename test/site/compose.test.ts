import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import t from 'tap';
import { changeKeys, composeSite } from '../../src/site/compose.js';

const text = `# The shop.
name = "a.example"   # its name
max_workers = 4      # enough
root = "/srv/a"

# What the application wants.
[env]
A = "1" # first
`;

t.test('comments and order are kept', async (t) => {
  t.equal(changeKeys(text, { max_workers: 8 }), text.replace('max_workers = 4 ', 'max_workers = 8 '));
  t.equal(changeKeys(text, { max_workers: undefined }), text.replace(/max_workers.*\n/, ''));
  t.equal(changeKeys(text, { mode: 'pool' }), text.replace('\n[env]', '\nmode = "pool"\n\n[env]'));
  t.equal(
    changeKeys('name = "x"', { mode: 'pool' }),
    'name = "x"\nmode = "pool"\n',
    'a last line without its end',
  );
});

t.test('values of every kind', async (t) => {
  const until = new Date(Date.UTC(2030, 0, 1));
  const changes = {
    aliases: ['a "quoted" \\ name', 'b'],
    old_keys: [{ key: 'k', until }],
    empty: {},
    yes: true,
    n: 1.5,
  };
  t.match(parse(changeKeys('name = "x"\n', changes)), { ...changes, old_keys: [{ key: 'k', until }] });
});

t.test('keys within a table', async (t) => {
  t.equal(changeKeys(text, { env: { A: '2' } }), text.replace('A = "1"', 'A = "2"'));
  t.equal(changeKeys(text, { env: { A: '1', B: '2' } }), text.replace('[env]\n', '[env]\nB = "2"\n'));
  t.equal(changeKeys(text, { env: { B: '2' } }), text.replace('A = "1" # first', 'B = "2"'));
  const short = '# mine\nenv = { A = "1", B = "2" } # short\n';
  t.equal(changeKeys(short, { env: { B: '2' } }), '# mine\nenv = { B = "2" } # short\n');
});

t.test('what cannot be edited in place is written anew, with the same meaning', async (t) => {
  const dotted = '# lost\nname = "x"\nenv.A = "1"\nenv.B = "1"\n';
  t.same(parse(changeKeys(dotted, { env: { A: '2', B: '1' } })), { name: 'x', env: { A: '2', B: '1' } });
  t.same(parse(changeKeys(text, { env: undefined })), { name: 'a.example', max_workers: 4, root: '/srv/a' });
  t.same(parse(changeKeys('[[old_keys]]\nkey = "a"\n', { old_keys: [] })), { old_keys: [] });
});

t.test('whatever is changed, the result means exactly that', async (t) => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string()),
    fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
  );
  const name = fc.stringMatching(/^[a-z_]{1,8}$/).filter((key) => key !== '__proto__');
  const table = fc.dictionary(name, value, { noNullPrototype: true });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(table, table, (before, changes) => {
        const changed = parse(changeKeys(composeSite(before), changes));
        return isDeepStrictEqual(changed, parse(composeSite({ ...before, ...changes })));
      }),
      { numRuns: 300 },
    ),
  );
});

t.test('a new file is in the order in which people read it', async (t) => {
  const lines = composeSite({ key: 'k', max_workers: 2, user: 'u', name: 'n', root: '/r' }).split('\n');
  t.same(
    lines.filter((line) => /^[a-z]/.test(line)).map((line) => line.split(' ')[0]),
    ['name', 'root', 'user', 'key', 'max_workers'],
  );
});
