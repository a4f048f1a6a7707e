import t from 'tap';
import { parseSettings } from '../../src/cli/settings.js';

t.test('values are TOML where they can be, else texts', async (t) => {
  t.same(
    parseSettings([
      'a=1',
      'b=true',
      'c=30s',
      'd="30s"',
      'e=[".php"]',
      'f=',
      'g=a=b',
      'umask=022',
      'h={ x = 1 }',
    ]),
    {
      a: 1,
      b: true,
      c: '30s',
      d: '30s',
      e: ['.php'],
      f: '',
      g: 'a=b',
      umask: '022',
      h: { x: 1 },
    },
  );
});

t.test('the environment has texts only', async (t) => {
  t.same(parseSettings(['env.A=1', 'env.B=true', 'php_ini.set.x=1']), {
    'env.A': '1',
    'env.B': 'true',
    'php_ini.set.x': 1,
  });
});

t.test('a value cannot smuggle in a second key', async (t) => {
  t.same(parseSettings(['a=1\nuser = "root"']), { a: '1\nuser = "root"' });
});

t.test('what is no KEY=VALUE', async (t) => {
  for (const text of ['', 'a', '=1', ' =1', 'a b=1', '1a=1', 'a[0]=1']) {
    t.throws(() => parseSettings([text]), { code: 'USAGE' }, JSON.stringify(text));
  }
});
