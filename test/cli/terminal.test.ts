import t from 'tap';
import { columns, span } from '../../src/cli/terminal.js';

t.test('columns', async (t) => {
  t.equal(
    columns([
      ['A', 'LONG', 'C'],
      ['abc', 'x', ''],
    ]),
    'A    LONG  C\nabc  x',
  );
});

t.test('spans of time', async (t) => {
  const spans: [number, string][] = [
    [0, '0s'],
    [999, '0s'],
    [61_000, '1m 1s'],
    [3_600_000, '1h'],
    [90_061_000, '1d 1h'],
    [86_401_000, '1d 1s'],
  ];
  for (const [ms, text] of spans) t.equal(span(ms), text);
});
