import t from 'tap';
import { keysAt, makeKey, rotate } from '../../src/site/key.js';

t.test('keys have 256 bits and never repeat', async (t) => {
  const keys = new Set(Array.from({ length: 100 }, makeKey));
  t.equal(keys.size, 100);
  for (const key of keys) t.match(key, /^[0-9a-f]{64}$/);
});

t.test('rotation keeps the old key for the grace time', async (t) => {
  const now = Date.UTC(2030, 0, 1);
  const gone = { key: 'a', until: new Date(now) };
  const still = { key: 'b', until: new Date(now + 1) };
  const first = rotate('c', [still, gone], 1000, now);
  t.same(first.old_keys, [{ key: 'c', until: new Date(now + 1000) }, still]);
  t.same(rotate('c', [still], 0, now).old_keys, [still], 'without grace the old key ends at once');
  t.same(rotate(undefined, [], 1000, now).old_keys, []);
  const many = Array.from({ length: 12 }, (_, index) => ({
    key: String(index),
    until: new Date(now + 9999),
  }));
  t.equal(rotate('c', many, 1000, now).old_keys.length, 10);
});

t.test('keys end when their time is over', async (t) => {
  const keyring = [
    { key: 'new', untilMs: Number.POSITIVE_INFINITY },
    { key: 'old', untilMs: 1000 },
  ];
  t.same(keysAt({ keyring }, 999), ['new', 'old']);
  t.same(keysAt({ keyring }, 1000), ['new']);
});
