import t from 'tap';
import { setDotted, splitKey, unsetDotted } from '../../src/site/settings.js';

t.test('keys are split where guise has tables, not where PHP has dots', async (t) => {
  t.same(splitKey('max_workers'), ['max_workers']);
  t.same(splitKey('env.A'), ['env', 'A']);
  t.same(splitKey('php_ini.set.session.gc_maxlifetime'), ['php_ini', 'set', 'session.gc_maxlifetime']);
});

t.test('setting reaches into tables and leaves their other keys', async (t) => {
  const base = { mode: 'pool', env: { A: '1' } };
  t.same(setDotted(base, { 'env.B': '2', max_workers: 3, 'php_ini.lock.a.b': 1 }), {
    mode: 'pool',
    env: { A: '1', B: '2' },
    max_workers: 3,
    php_ini: { lock: { 'a.b': 1 } },
  });
  t.same(base, { mode: 'pool', env: { A: '1' } }, 'the table given stays as it is');
});

t.test('removing takes empty tables along', async (t) => {
  const base = { mode: 'pool', env: { A: '1' }, php_ini: { set: { x: 1 }, lock: { y: 1 } } };
  t.same(unsetDotted(base, ['mode', 'env.A', 'php_ini.set.x', 'not.there', 'nor.this']), {
    php_ini: { lock: { y: 1 } },
  });
});

t.test('a key called __proto__ is a key like any other', async (t) => {
  const result = setDotted({}, { 'env.__proto__': 'x', '__proto__.polluted': 'x' });
  t.notOk('polluted' in {});
  t.same(Object.keys(result), ['env', '__proto__']);
});
