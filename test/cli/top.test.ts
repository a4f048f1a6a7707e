/** What `guise top` shows, without a terminal: rates, orders, what fits, and what keys do. */

import t from 'tap';
import { plainText } from '../../src/cli/paint.js';
import { afterKey } from '../../src/cli/top-live.js';
import { arranged, topRows } from '../../src/cli/top-rows.js';
import { topScreen, type View } from '../../src/cli/top-screen.js';
import { siteRow, statusReport } from './report.js';

const view: View = { order: 'cpu', words: '', isTyping: false, isPaused: false };
const before = statusReport([siteRow('a.example'), siteRow('b.example')]);
const now = statusReport([
  {
    ...siteRow('a.example'),
    served: siteRow('a.example').served + 30,
    refused: siteRow('a.example').refused + 10,
  },
  {
    ...siteRow('b.example'),
    cpu: { userMs: siteRow('b.example').cpu.userMs + 800, systemMs: siteRow('b.example').cpu.systemMs + 200 },
  },
  siteRow('new.example'),
]);

t.test('rates are differences, by the second', (t) => {
  const [a, b, fresh] = topRows(before, now, 2);
  t.match(a, { name: 'a.example', rate: 20, errors: 5, cpu: 0 });
  t.match(b, { rate: 0, cpu: 50 }, 'half of a processor');
  t.match(fresh, { rate: 0, cpu: 0 }, 'nothing is known of before');
  t.match(topRows(undefined, now, 2)[0], { rate: 0 });
  t.match(topRows(now, before, 2)[0], { rate: 0, errors: 0 }, 'a site that was made anew begins at 0');
  t.end();
});

t.test('the order, and only what is looked for', (t) => {
  const rows = topRows(before, now, 2);
  const names = (...how: Parameters<typeof arranged> extends [unknown, ...infer R] ? R : never): string[] =>
    arranged(rows, ...how).map(({ name }) => name);
  t.same(names('cpu', ''), ['b.example', 'a.example', 'new.example']);
  t.same(names('rate', ''), ['a.example', 'b.example', 'new.example']);
  t.same(names('name', ''), ['a.example', 'b.example', 'new.example']);
  t.same(names('cpu', 'new'), ['new.example']);
  t.end();
});

t.test('what fits on the screen, and not a column more', (t) => {
  const rows = topRows(before, now, 2);
  const lines = topScreen(now, rows, view, { lines: 6, columns: 60 }, plainText);
  t.equal(lines.length, 5);
  t.ok(lines.every((line) => line.length <= 60));
  t.match(lines[0], /3 sites.*20\.0 requests\/s/);
  t.match(lines[1], /^1 more below/);
  t.match(lines[3], /^b\.example/);
  t.equal(topScreen(now, rows, view, { lines: 1, columns: 10 }, plainText).length, 1);
  t.match(
    topScreen(now, rows, { ...view, problem: 'no \u001b daemon' }, { lines: 9, columns: 80 }, plainText)[1],
    /^! no \\u\{1b\} daemon/,
  );
  t.end();
});

t.test('keys', (t) => {
  const press = (keys: string, from = view): View => Array.from(keys).reduce(afterKey, from);
  t.equal(press('m').order, 'memory');
  t.equal(press('p').isPaused, true);
  t.equal(press('pp').isPaused, false);
  t.match(press('/mem'), { words: 'mem', isTyping: true, order: 'cpu' });
  t.match(press('/mex\u007f\r'), { words: 'me', isTyping: false });
  t.match(press('/me\u001b'), { words: '', isTyping: false });
  t.equal(press('/a\u0007b').words, 'ab', 'a control character is never a part of it');
  t.same(press('?'), view);
  t.end();
});
