import fc from 'fast-check';
import t from 'tap';
import {
  type AutoPattern,
  autoDirectory,
  autoSiteName,
  isAutoName,
  matchAuto,
  parseAutoPattern,
} from '../../src/site/auto.js';
import { isSiteName } from '../../src/site/schema.js';

function pattern(text: string): AutoPattern {
  const parsed = parseAutoPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no pattern`);
  return parsed;
}

t.test('patterns', (t) => {
  t.same(pattern('/home/*/public_html'), { before: '/home/', after: '/public_html' });
  t.same(pattern('/srv/www/*'), { before: '/srv/www/', after: '' });
  t.same(pattern('/srv/*/a/b'), { before: '/srv/', after: '/a/b' });
  for (const text of [
    '',
    '*',
    '/*',
    '/*/www',
    'home/*',
    '/home',
    '/home/',
    '/home/*/*',
    '/home/a*/www',
    '/home/*a/www',
    '/home/**/www',
    '/home//*/www',
    '/home/*/',
    '/home/*/../www',
    '/../*/www',
  ]) {
    t.equal(parseAutoPattern(text), undefined, JSON.stringify(text));
  }
  t.end();
});

t.test('which directory a script lies in', (t) => {
  const patterns = ['/home/*/public_html', '/srv/*', '/home/*/www'].map(pattern);
  const cases: [string, { pattern: number; name: string } | undefined][] = [
    ['/home/alice/public_html/a.php', { pattern: 0, name: 'alice' }],
    ['/home/alice/public_html/sub/a.php', { pattern: 0, name: 'alice' }],
    ['/home/alice/www/a.php', { pattern: 2, name: 'alice' }],
    ['/srv/example.com/a.php', { pattern: 1, name: 'example.com' }],
    ['proxy:fcgi://localhost/home/alice/public_html/a.php', { pattern: 0, name: 'alice' }],
    ['proxy:fcgi://localhost//home/alice/public_html/a.php', { pattern: 0, name: 'alice' }],
    ['proxy:balancer://x:9000/srv/b/a.php', { pattern: 1, name: 'b' }],
    ['//home///alice//public_html//a.php', { pattern: 0, name: 'alice' }],
    ['/home/alice/public_html', undefined],
    ['/home/alice/public_htmlx/a.php', undefined],
    ['/home/alice/a.php', undefined],
    ['/home//public_html/a.php', undefined],
    ['/home/../public_html/a.php', undefined],
    ['/home/.ssh/public_html/a.php', undefined],
    ['/home/a b/public_html/a.php', undefined],
    ['/home/alice~/public_html/a.php', undefined],
    ['/srv/a.php', undefined],
    ['/srv/-rf/a.php', undefined],
    ['home/alice/public_html/a.php', undefined],
    ['x/home/alice/public_html/a.php', undefined],
    ['', undefined],
  ];
  for (const [script, match] of cases) t.same(matchAuto(patterns, script), match, script);
  t.equal(matchAuto([], '/home/alice/public_html/a.php'), undefined);
  t.end();
});

t.test('names', (t) => {
  for (const name of ['a', 'A.b-c_d', '_x', '9', 'a..b', 'x'.repeat(100)]) t.ok(isAutoName(name), name);
  for (const name of [
    '',
    '.',
    '..',
    '...',
    '.a',
    '-a',
    'a/b',
    'a\0',
    'a\n',
    'a ',
    'ä',
    '~a',
    'x'.repeat(101),
  ]) {
    t.notOk(isAutoName(name), JSON.stringify(name));
  }
  t.equal(autoSiteName({ pattern: 0, name: 'alice' }), '~alice');
  t.equal(autoSiteName({ pattern: 2, name: 'alice' }), '~2~alice');
  t.equal(autoDirectory(pattern('/home/*/www'), 'alice'), '/home/alice/www');
  t.end();
});

const component = fc.oneof(
  fc.constantFrom('home', 'alice', 'www', '.', '..', '...', '', '*', '~', '%2e%2e', 'a b', '.git'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const anyPath = fc
  .tuple(
    fc.constantFrom('', 'proxy:fcgi://x', 'proxy:fcgi://', 'proxy:balancer:///'),
    fc.constantFrom('', '/home', '/home/alice', '//srv/x'),
    fc.array(component, { minLength: 1, maxLength: 8 }),
    fc.constantFrom('', '/www/a.php', '/a/b/c', '/'),
  )
  .map(([prefix, before, components, after]) => `${prefix}${before}/${components.join('/')}${after}`);
const anyPattern = fc.constantFrom('/home/*/www', '/home/*', '/srv/x/*/a/b', '/home/alice/*').map(pattern);

t.test('whatever a script is called, its site is one short, plain component', (t) => {
  const patterns = fc.array(anyPattern, { minLength: 1, maxLength: 4 });
  let matches = 0;
  fc.assert(
    fc.property(patterns, fc.oneof(anyPath, fc.string()), (list, script) => {
      const match = matchAuto(list, script);
      if (match === undefined) return true;
      matches++;
      const { name } = match;
      const used = list[match.pattern];
      const isPlain = /^[\w.-]{1,100}$/.test(name) && !name.includes('/') && !/^\.+$/.test(name);
      return (
        isPlain &&
        used !== undefined &&
        script.replace(/\/+/g, '/').includes(`${autoDirectory(used, name)}/`) &&
        !isSiteName(autoSiteName(match))
      );
    }),
    { numRuns: 20_000 },
  );
  t.ok(matches > 100, `${matches} of them matched`);
  t.end();
});

t.test('a script that lies there is found', (t) => {
  const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/);
  fc.assert(
    fc.property(anyPattern, name, fc.constantFrom('a.php', 'b/c.php', '../x/a.php'), (used, found, rest) => {
      const match = matchAuto([used], `${autoDirectory(used, found)}/${rest}`);
      return match?.pattern === 0 && match.name === found;
    }),
  );
  t.end();
});

t.test('two directories never have one name', (t) => {
  const match = fc.record({
    pattern: fc.oneof(fc.nat(3), fc.nat(20)),
    name: fc.oneof(fc.constantFrom('a', '1', '1.a'), fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,9}$/)),
  });
  fc.assert(
    fc.property(match, match, (a, b) => {
      const same = a.pattern === b.pattern && a.name === b.name;
      return same === (autoSiteName(a) === autoSiteName(b));
    }),
  );
  t.end();
});
