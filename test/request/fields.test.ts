import t from 'tap';
import { Field, fieldCount, matchField, matchRedirected, sameBytes } from '../../src/request/fields.js';

function match(name: string, by = matchField): number {
  const bytes = Buffer.from(`<${name}>`);
  return by(bytes, 1, 1 + name.length);
}

t.test('every name is found, and no other of its length', async (t) => {
  for (const [name, field] of Object.entries(Field)) {
    if (name === 'REDIRECT_GUISE_SITE') continue;
    t.equal(match(name), field, name);
    t.equal(match(`${name.slice(0, -1)}~`), -1);
    t.equal(match(`~${name.slice(1)}`), -1);
    t.equal(match(name.toLowerCase()), -1);
  }
  t.equal(fieldCount, Object.keys(Field).length);
  t.equal(match(''), -1);
  t.equal(match('x'.repeat(1000)), -1);
});

t.test('any number of prefixes, and at least one', async (t) => {
  t.equal(match('REDIRECT_GUISE_KEY', matchRedirected), Field.GUISE_KEY);
  t.equal(match(`${'REDIRECT_'.repeat(40)}GUISE_SITE`, matchRedirected), Field.GUISE_SITE);
  for (const name of [
    'GUISE_KEY',
    'REDIRECT_',
    'REDIRECT_REDIRECT_',
    'REDIRECTGUISE_KEY',
    'REDIRECT',
    'XREDIRECT_GUISE_KEY',
    '',
  ]) {
    t.equal(match(name, matchRedirected), -1, name);
  }
});

t.test('equal bytes', async (t) => {
  const a = Buffer.from('..abc');
  t.equal(sameBytes(a, 2, Buffer.from('abc'), 0, 3), true);
  t.equal(sameBytes(a, 1, Buffer.from('abc'), 0, 3), false);
  t.equal(sameBytes(a, 2, Buffer.from('abc'), 0, 0), true);
});
