import t from 'tap';
import { editDistance, suggest } from '../../src/config/suggest.js';

const known = ['max_workers', 'max_requests', 'mode', 'name', 'root', 'idle_timeout'];

t.test('a slip of the pen is recognised', async (t) => {
  const slips: [string, string | undefined][] = [
    ['max_worker', 'max_workers'],
    ['maxWorkers', 'max_workers'],
    ['max-workers', 'max_workers'],
    ['MAX_REQUESTS', 'max_requests'],
    ['moed', 'mode'],
    ['idletimeout', 'idle_timeout'],
    ['colour', undefined],
    ['x', undefined],
  ];
  for (const [found, meant] of slips) t.equal(suggest(found, known), meant, found);
});

t.test('distances', async (t) => {
  t.equal(editDistance('', 'abc'), 3);
  t.equal(editDistance('abc', 'abc'), 0);
  t.equal(editDistance('abcd', 'acbd'), 1, 'neighbours swapped count once');
  t.equal(editDistance('kitten', 'sitting'), 3);
});
