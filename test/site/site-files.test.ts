import t from 'tap';
import { inOrder, isLater } from '../../src/site/site-files.js';

t.test('files stand in the order of their bytes', (t) => {
  const names = ['b', 'ä', 'a', '\u{1f418}', '\uff5e', 'a.b', 'B', 'a-b', '\u{10000}'];
  const byBytes = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  t.same(inOrder(names), byBytes);
  t.ok(isLater('\u{10000}', '\uff5e'), 'where UTF-16 would have it the other way round');
  t.notOk(isLater('a', 'a'));
  t.end();
});
